"""The gate before the window: which of the next rows may go now, which later, and when to ask again.

Guarantee: a transport without limits costs no query and no work per row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from envoi.core import clock
from envoi.delivery.composers import Leased
from envoi.delivery.machine import elapsed
from envoi.delivery.models import Mailing, Transport
from envoi.delivery.queries import pace
from envoi.delivery.smtp import Outcome

# So far ahead slots are taken: enough that connections never wait for the database, little enough to be fair.
AHEAD = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Admission:
    """What becomes of the next rows.

    Attributes:
        go: rows that may be offered, each with its slot in seconds of `elapsed` (0.0: at once).
        put_off: rows that may not be offered before a moment, and why, for a person.
        left: how many at the end of the given rows are neither; they stay where they are.
        next_at: when to ask again for those; None when only room was missing.
    """

    go: list[tuple[Leased, float]]
    put_off: list[tuple[Leased, datetime, str]] = field(default_factory=list)
    left: int = 0
    next_at: datetime | None = None


class Gate:
    """One shift's way through the limits of its transport. All calls come from the worker's thread.

    `waits_until` says, after `portion` has given 0, when to try again; None leaves that to a person or to the next run.
    """

    def __init__(self, mailing: Mailing, transport: Transport) -> None:
        self.waits_until: datetime | None = None
        self._mailing = mailing
        self._transport = transport

    def look(self, mailing: Mailing, transport: Transport) -> None:
        """Follow what has changed: both as they were just read, about once a second."""
        self._mailing = mailing
        self._transport = transport

    def portion(self, wanted: int, seconds: float = 20.0) -> int:
        """How many rows, of `wanted`, may be leased for the next `seconds`: what is leased, nobody else can send."""
        step = pace.interval(self._transport).total_seconds()
        return min(wanted, int(max(0.0, seconds) / step) + 1) if step else wanted

    def admit(self, rows: Sequence[Leased], room: int) -> Admission:
        """Let up to `room` of the next rows through, in their order. Rows put off take no room.

        Call it outside a transaction: what it reserves is committed at once.
        """
        wanted = min(room, len(rows))
        if not pace.interval(self._transport):
            return Admission([(row, 0.0) for row in rows[:wanted]], left=len(rows) - wanted)
        slots, after = pace.reserve(self._transport, wanted, AHEAD)
        now, moment = clock.now(), elapsed()
        go = [(row, moment + max(0.0, (slot - now).total_seconds())) for row, slot in zip(rows, slots, strict=False)]
        return Admission(go, left=len(rows) - len(go), next_at=after - AHEAD if len(go) < wanted else None)

    def settled(self, row: Leased, outcome: Outcome) -> None:
        """Learn from an answer."""

    def close(self) -> None:
        """Give back what was reserved and not used."""
