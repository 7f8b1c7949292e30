"""What happens to broadcasts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BroadcastStarted:
    """A broadcast left the drafts: its deliveries stand in the ledger, or its notice on dashboards."""

    broadcast_id: int
    mailing_id: int | None
    notice_id: int | None = None


@dataclass(frozen=True, slots=True)
class BroadcastFinished:
    """Nobody is left to be sent to, or the rest was cancelled."""

    broadcast_id: int
    cancelled: bool
