"""Some connections to one server, shared by everybody who sends; each message is answered by a future.

For single messages. Who sends many is a supply of `Connections` itself: a future for each message costs too much.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from envoi.delivery.smtp.connections import Connections, closed, withheld
from envoi.delivery.smtp.envelopes import Envelope
from envoi.delivery.smtp.outcomes import Fault, FaultKind, NotSent, Outcome
from envoi.delivery.smtp.phases import Phase
from envoi.delivery.smtp.session import SmtpSettings
from envoi.delivery.smtp.wire import Listener


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
    """See the module. Every envelope gets exactly one outcome; the rest as `Connections` guarantees it."""

    def __init__(
        self,
        settings: SmtpSettings,
        max_connections: int = 4,
        messages_per_connection: int = 500,
        hooks: Hooks = Hooks(),
        listener: Listener | None = None,
    ) -> None:
        self.settings = settings
        self._hooks = hooks
        self._waiting: deque[Envelope] = deque()
        self._futures: dict[Envelope, asyncio.Future[Outcome]] = {}
        self._connections = Connections(settings, self, max_connections, messages_per_connection, listener)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    def send(self, envelope: Envelope) -> asyncio.Future[Outcome]:
        """Queue a message, no envelope twice at a time; await the result for its outcome.

        Cancelling takes the message back only while it is queued.
        """
        future = self._futures[envelope] = asyncio.get_running_loop().create_future()
        if self._connections.closing:
            self.settled(envelope, closed())
        else:
            self._waiting.append(envelope)
            self._connections.wake()
        return future

    async def close(self, grace: float | None = None) -> None:
        """Answer what waits with `NotSent`, finish what is on its way, say goodbye.

        Args:
            grace: seconds after which what is still on its way is broken off; None waits as long as the timeouts allow.
        """
        self._connections.closing = True
        self.hindered(closed())
        await self._connections.close(grace)

    # The connections call these.

    def waiting(self) -> int:
        return len(self._waiting)

    def take(self) -> Envelope | None:
        while self._waiting:
            envelope = self._waiting.popleft()
            if self._futures[envelope].cancelled():
                del self._futures[envelope]
            elif self.wanted(envelope):
                return envelope
        return None

    def wanted(self, envelope: Envelope, /) -> bool:
        """Whether it is; else it is answered."""
        try:
            if self._hooks.before_mail is None or self._hooks.before_mail(envelope):
                return True
        except Exception as error:  # a hook that fails must not leave a message without an outcome
            fault = Fault(FaultKind.HOOK, f"could not be asked whether it is still wanted: {error}")
            self.settled(envelope, NotSent(fault, Phase.QUEUED))
        else:
            self.settled(envelope, withheld())
        return False

    def before_dot(self, envelope: Envelope, /) -> None:
        if self._hooks.before_dot is not None:
            self._hooks.before_dot(envelope)

    def settled(self, envelope: Envelope, outcome: Outcome, /) -> None:
        if self._hooks.settled is not None:
            self._hooks.settled(envelope, outcome)
        future = self._futures.pop(envelope)
        if not future.done():
            future.set_result(outcome)

    def hindered(self, outcome: Outcome, /) -> None:
        while self._waiting:
            self.settled(self._waiting.popleft(), outcome)
