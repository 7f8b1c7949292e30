"""Some connections to one server, shared by everybody who sends.

Guarantees: every envelope gets exactly one outcome; no more than `max_connections` stand at once; a message that is
surely unsent because the server ended a used connection is offered once more on another; nothing else is repeated.
Belongs to one event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from envoi.delivery.smtp.connection import Connection
from envoi.delivery.smtp.envelopes import Envelope, own_refusal
from envoi.delivery.smtp.jobs import Job
from envoi.delivery.smtp.outcomes import Fault, FaultKind, NotSent, Outcome, Refused
from envoi.delivery.smtp.phases import Phase
from envoi.delivery.smtp.session import SessionFailed, SmtpSettings, open_session
from envoi.delivery.smtp.wire import Listener

# After a server turned away a further connection while others stand, seconds before it is asked again.
CROWDED = 30.0


@dataclass(frozen=True, slots=True)
class Hooks:
    """Called in the event loop, so they must be quick.

    Attributes:
        before_mail: whether the message is still wanted; called when a connection takes it up.
        before_dot: right before the final dot is written; if it raises, the dot is not written. `TakenBack` says that
            nothing is wrong.
        settled: right after the outcome is known, for every envelope, before its awaiter runs.
    """

    before_mail: Callable[[Envelope], bool] | None = None
    before_dot: Callable[[Envelope], None] | None = None
    settled: Callable[[Envelope, Outcome], None] | None = None


class Pool:
    """See the module."""

    def __init__(
        self,
        settings: SmtpSettings,
        max_connections: int = 4,
        messages_per_connection: int = 500,
        hooks: Hooks = Hooks(),
        listener: Listener | None = None,
    ) -> None:
        self.settings = settings
        self._most = max(1, max_connections)
        self._per_connection = messages_per_connection
        self._hooks = hooks
        self._listener = listener
        self._waiting: deque[Job] = deque()
        self._connections: set[Connection] = set()
        self._idle: list[Connection] = []
        self._opening: set[asyncio.Task[Outcome | None]] = set()
        self._crowded_until = 0.0
        self._closing = False
        self._ticker: asyncio.TimerHandle | None = None
        times = settings.timeouts
        self._tick_every = min(1.0, times.command / 4, times.data / 4, times.body / 4, times.dot / 4, times.idle / 4)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    def send(self, envelope: Envelope) -> asyncio.Future[Outcome]:
        """Queue a message; await the result for its outcome. Cancelling takes it back only while it is queued."""
        job = Job(envelope, asyncio.get_running_loop().create_future())
        if self._closing:
            self.settle(job, _closed())
            return job.future
        self._waiting.append(job)
        while self._waiting and self._idle:
            self.free(self._idle.pop())
        if self._waiting:
            self._grow()
        return job.future

    async def close(self, grace: float | None = None) -> None:
        """Answer what waits with `NotSent`, finish what is on its way, say goodbye.

        Args:
            grace: seconds after which what is still on its way is broken off; None waits as long as the timeouts allow.
        """
        self._closing = True
        while self._waiting:
            self.settle(self._waiting.popleft(), _closed())
        for task in self._opening:
            task.cancel()
        if self._opening:
            await asyncio.wait(self._opening)
        while self._idle:
            self._idle.pop().quit()
        if self._connections:
            wires = [connection.wire for connection in self._connections]
            await asyncio.wait([wire.closed for wire in wires], timeout=grace)
            for wire in wires:
                wire.abort(Fault(FaultKind.CLOSED, "broken off by our own stop"))
            await asyncio.wait([wire.closed for wire in wires])
        if self._ticker is not None:
            self._ticker.cancel()

    # The connections call these.

    def take(self, connection: Connection) -> Job | None:
        """The next message that may be offered to this server."""
        while self._waiting:
            job = self._waiting.popleft()
            if job.future.done():
                continue
            withheld = self._withheld(job)
            if withheld is not None:
                self.settle(job, NotSent(withheld, Phase.QUEUED))
                continue
            refusal = own_refusal(job.envelope, connection.features)
            if refusal is None:
                return job
            self.settle(job, Refused(refusal, Phase.QUEUED))
        return None

    def before_dot(self, job: Job) -> None:
        if self._hooks.before_dot is not None:
            self._hooks.before_dot(job.envelope)

    def settle(self, job: Job, outcome: Outcome) -> None:
        if self._hooks.settled is not None:
            self._hooks.settled(job.envelope, outcome)
        if not job.future.done():
            job.future.set_result(outcome)

    def retry(self, job: Job, outcome: Outcome) -> None:
        """Offer a surely unsent message once more; the second time `outcome` stands."""
        if job.retried or self._closing:
            self.settle(job, outcome)
            return
        job.retried = True
        job.phase = Phase.QUEUED
        self._waiting.appendleft(job)

    def free(self, connection: Connection) -> None:
        if self._closing:
            connection.quit()
            return
        job = self.take(connection)
        if job is None:
            self._idle.append(connection)
        else:
            connection.begin(job)

    def gone(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if self._waiting:
            self._grow()

    def _withheld(self, job: Job) -> Fault | None:
        try:
            if self._hooks.before_mail is None or self._hooks.before_mail(job.envelope):
                return None
        except Exception as error:  # a hook that fails must not leave a message without an outcome
            return Fault(FaultKind.HOOK, f"could not be asked whether it is still wanted: {error}")
        return Fault(FaultKind.WITHHELD, "taken back before MAIL")

    # Opening.

    def _grow(self) -> None:
        loop = asyncio.get_running_loop()
        if self._connections and loop.time() < self._crowded_until:
            return
        wanted = min(len(self._waiting), self._most - len(self._connections)) - len(self._opening)
        for _ in range(wanted):
            task = loop.create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opened)

    async def _open(self) -> Outcome | None:
        """Make one connection; what hindered it, if it could not be made."""
        try:
            session = await open_session(self.settings, self._listener)
        except SessionFailed as error:
            return error.outcome
        connection = Connection(session, self, self.settings.timeouts, self._per_connection)
        self._connections.add(connection)
        if self._ticker is None:
            self._ticker = asyncio.get_running_loop().call_later(self._tick_every, self._tick)
        self.free(connection)
        return None

    def _opened(self, task: asyncio.Task[Outcome | None]) -> None:
        self._opening.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        hindrance = NotSent(Fault(FaultKind.DROPPED, repr(error)), Phase.CONNECT) if error else task.result()
        if hindrance is not None:
            self._turned_away(hindrance)

    def _turned_away(self, outcome: Outcome) -> None:
        """When no other connection stands or is being made, what hinders this one hinders all that wait.

        Called when the attempt is off the books: several that fail in the same instant would each count on the others.
        """
        if self._connections or self._opening:
            self._crowded_until = asyncio.get_running_loop().time() + CROWDED
            return
        while self._waiting:
            self.settle(self._waiting.popleft(), outcome)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        for connection in tuple(self._connections):
            connection.on_tick(loop.time())
        self._ticker = loop.call_later(self._tick_every, self._tick) if self._connections else None


def _closed() -> NotSent:
    return NotSent(Fault(FaultKind.CLOSED, "the sending was stopped while the message waited"), Phase.QUEUED)
