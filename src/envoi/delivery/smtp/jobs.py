"""What a connection works on: messages, and what it and others call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from envoi.delivery.smtp.envelopes import Envelope
from envoi.delivery.smtp.outcomes import Fault, Outcome, Refused, SenderRefused
from envoi.delivery.smtp.phases import Phase
from envoi.delivery.smtp.replies import Reply

if TYPE_CHECKING:
    from envoi.delivery.smtp.connection import Connection


class Job:
    """An envelope on its way; `phase` is how far it has come, `refusal` what was said of its envelope."""

    __slots__ = ("envelope", "phase", "refusal", "retries")

    def __init__(self, envelope: Envelope) -> None:
        self.envelope = envelope
        self.phase = Phase.QUEUED
        self.refusal: Refused | SenderRefused | None = None
        self.retries = 0


class Owner(Protocol):
    """What a connection needs of whoever holds it.

    Attributes:
        now: the loop's time, or a little later; brought up to date by each tick, since asking costs.
    """

    now: float

    def take(self, connection: Connection) -> Job | None: ...

    def before_dot(self, job: Job) -> None: ...

    def settle(self, job: Job, outcome: Outcome) -> None: ...

    def retry(self, job: Job, outcome: Outcome) -> None: ...

    def free(self, connection: Connection) -> None: ...

    def gone(self, connection: Connection) -> None: ...


class Handler(Protocol):
    """Who is told what happens on the wire once the handshake is over."""

    def on_replies(self, replies: Sequence[Reply]) -> None: ...

    def on_drained(self) -> None: ...

    def on_lost(self, fault: Fault) -> None: ...

    def on_tick(self, now: float) -> None: ...
