"""Over which transport the next turn of a mailing goes, and when one opens that is closed now."""

from __future__ import annotations

from datetime import datetime

from envoi.delivery.models import Mailing, Transport


def choose(mailing: Mailing) -> Transport | None:
    """The transport for the next turn of `mailing`; None when no way is open just now."""
    transport = mailing.identity.transport
    return None if transport.paused_at else transport


def opens_at(mailing: Mailing) -> datetime | None:
    """When `choose` may give a transport again: the earliest moment that is known.

    None: one is open now, or only a person opens it.
    """
    return None


def why_waiting(mailing: Mailing) -> str:
    """Why nothing of a running mailing leaves just now, for people; "" when no limit is in the way."""
    transport = mailing.identity.transport
    return transport.paused_reason if transport.paused_at else ""
