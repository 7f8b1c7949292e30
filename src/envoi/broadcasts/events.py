"""What happens to broadcasts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BroadcastStarted:
    """A broadcast left the drafts; its deliveries stand in the ledger."""

    broadcast_id: int
    mailing_id: int


@dataclass(frozen=True, slots=True)
class BroadcastFinished:
    """Nobody is left to be sent to, or the rest was cancelled."""

    broadcast_id: int
    cancelled: bool
