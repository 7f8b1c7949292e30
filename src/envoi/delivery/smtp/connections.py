"""Some connections to one server, which carry what a supply gives them.

A connection that is free asks for the next message; nothing waits here. Guarantees: every envelope that was taken gets
exactly one outcome; no more than `most` connections stand at once; a message that is surely unsent because the server
ended a used connection is offered again on another; nothing else is repeated. Belongs to one event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from envoi.delivery.smtp.connection import Connection
from envoi.delivery.smtp.envelopes import Envelope, own_refusal
from envoi.delivery.smtp.jobs import Job
from envoi.delivery.smtp.outcomes import Fault, FaultKind, NotSent, Outcome, Refused
from envoi.delivery.smtp.phases import Phase
from envoi.delivery.smtp.session import SessionFailed, SmtpSettings, open_session
from envoi.delivery.smtp.wire import Listener

# After a server turned away a further connection while others stand, seconds before it is asked again.
CROWDED = 30.0
# How often one message may be cut off between two others before that counts as its own failure.
RETRIES = 3


class Supply(Protocol):
    """Where messages come from and outcomes go. Called in the event loop, so it must be quick; only `before_dot` may
    raise.
    """

    def waiting(self) -> int:
        """How many could be taken now."""
        ...

    def take(self) -> Envelope | None:
        """The next one to be sent, at once; None when there is none now: `wake` says that there is one again."""
        ...

    def wanted(self, envelope: Envelope, /) -> bool:
        """Whether this one, which was taken and is surely unsent, is still to be sent; if not, the supply has settled
        it itself."""
        ...

    def before_dot(self, envelope: Envelope, /) -> None:
        """Called right before the final dot is written; if it raises, the dot is not written. `TakenBack` says that
        nothing is wrong."""
        ...

    def settled(self, envelope: Envelope, outcome: Outcome, /) -> None:
        """Called right after the outcome of one that was taken is known."""
        ...

    def hindered(self, outcome: Outcome, /) -> None:
        """No connection could be made: this is the outcome of all that could be taken now."""
        ...


class Connections:
    """See the module."""

    def __init__(
        self,
        settings: SmtpSettings,
        supply: Supply,
        most: int = 4,
        messages_per_connection: int = 500,
        listener: Listener | None = None,
    ) -> None:
        self.settings = settings
        self.now = 0.0
        self.closing = False
        self._supply = supply
        self._most = max(1, most)
        self._per_connection = messages_per_connection
        self._listener = listener
        self._again: deque[Job] = deque()
        self._connections: set[Connection] = set()
        self._idle: list[Connection] = []
        self._opening: set[asyncio.Task[Outcome | None]] = set()
        self._crowded_until = 0.0
        self._ticker: asyncio.TimerHandle | None = None
        times = settings.timeouts
        self._tick_every = min(1.0, times.command / 4, times.data / 4, times.body / 4, times.dot / 4, times.idle / 4)

    def wake(self) -> None:
        """The supply has something: idle connections take it up, and more are made if that is not enough."""
        while self._idle and self._waiting():
            self.free(self._idle.pop())
        if self._waiting():
            self._grow()

    async def close(self, grace: float | None = None) -> None:
        """Finish what is on its way and say goodbye; nothing more is taken.

        Args:
            grace: seconds after which what is still on its way is broken off; None waits as long as the timeouts allow.
        """
        self.closing = True
        while self._again:
            self.settle(self._again.popleft(), closed())
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
        """The next message that may be offered to this server, to follow the one whose dot goes out."""
        # One that was cut off as a follower had better be the first on a connection: one is being made for it.
        return self._take(connection, again=not self._opening)

    def _take(self, connection: Connection, *, again: bool) -> Job | None:
        while not self.closing:
            job = self._next(again)
            if job is None:
                return None
            refusal = own_refusal(job.envelope, connection.features)
            if refusal is None:
                return job
            self.settle(job, Refused(refusal, Phase.QUEUED))
        return None

    def before_dot(self, job: Job) -> None:
        self._supply.before_dot(job.envelope)

    def settle(self, job: Job, outcome: Outcome) -> None:
        self._supply.settled(job.envelope, outcome)

    def retry(self, job: Job, outcome: Outcome) -> None:
        """Offer a surely unsent message once more; in the end `outcome` stands."""
        if job.retries >= RETRIES or self.closing:
            self.settle(job, outcome)
            return
        job.retries += 1
        # What this server said of its envelope is over: it would be answered with an empty message where it is taken.
        job.phase, job.refusal = Phase.QUEUED, None
        self._again.append(job)

    def free(self, connection: Connection) -> None:
        if self.closing:
            connection.quit()
            return
        job = self._take(connection, again=True)
        if job is None:
            self._idle.append(connection)
        else:
            connection.begin(job)

    def gone(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self.wake()

    def _next(self, again: bool) -> Job | None:
        while again and self._again:
            job = self._again.popleft()
            if self._supply.wanted(job.envelope):
                return job
        envelope = self._supply.take()
        return None if envelope is None else Job(envelope)

    def _waiting(self) -> int:
        return len(self._again) + self._supply.waiting()

    # Opening.

    def _grow(self) -> None:
        loop = asyncio.get_running_loop()
        if self.closing or (self._connections and loop.time() < self._crowded_until):
            return
        wanted = min(self._waiting(), self._most - len(self._connections)) - len(self._opening)
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
        if self._ticker is None:
            self._tick()
        connection = Connection(session, self, self.settings.timeouts, self._per_connection)
        self._connections.add(connection)
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
        while self._again:
            self.settle(self._again.popleft(), outcome)
        self._supply.hindered(outcome)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in tuple(self._connections):
            connection.on_tick(now)
        self.now = now + self._tick_every
        self._ticker = loop.call_later(self._tick_every, self._tick)


def closed() -> NotSent:
    return NotSent(Fault(FaultKind.CLOSED, "the sending was stopped while the message waited"), Phase.QUEUED)


def withheld() -> NotSent:
    return NotSent(Fault(FaultKind.WITHHELD, "taken back before MAIL"), Phase.QUEUED)
