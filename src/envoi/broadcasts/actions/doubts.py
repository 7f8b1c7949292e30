"""What a person decides about recipients of a broadcast of whom nobody knows whether they got it."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.broadcasts.actions.steer import NotSteerable
from envoi.broadcasts.models import Broadcast
from envoi.delivery.actions import doubts


def mark_sent(broadcast: Broadcast, *, actor: User | None, ids: Collection[int] | None = None) -> int:
    """Take them (all without `ids`) as sent; how many.

    Raises:
        NotSteerable: of none of them the outcome is unknown any more.
    """
    return _decide(broadcast, "broadcast_mark_sent", actor, ids)


def send_again(broadcast: Broadcast, *, actor: User | None, ids: Collection[int] | None = None) -> int:
    """Send to them (all without `ids`) once more; how many.

    Raises:
        NotSteerable: of none of them the outcome is unknown any more, or the broadcast was cancelled.
    """
    return _decide(broadcast, "broadcast_send_again", actor, ids)


def _decide(broadcast: Broadcast, verb: str, actor: User | None, ids: Collection[int] | None) -> int:
    change = doubts.send_again if verb == "broadcast_send_again" else doubts.mark_sent
    with transaction.atomic():
        number = change(broadcast.mailing, actor=actor, ids=ids) if broadcast.mailing else 0
        if not number:
            raise NotSteerable(_("There is nobody left whose outcome is unknown, or the broadcast was cancelled."))
        audit.record(actor, verb, broadcast, recipients=number)
        broadcast.refresh_from_db()
    return number
