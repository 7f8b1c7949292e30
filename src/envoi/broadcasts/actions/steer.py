"""Pause, resume and cancel a broadcast that has started, and try again whom it did not reach."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.broadcasts.errors import BroadcastError
from envoi.broadcasts.models import Broadcast
from envoi.delivery.actions import mailing as mailings


class NotSteerable(BroadcastError):
    """The broadcast is not in a state in which this can be done; it may have ended meanwhile."""


def pause(broadcast: Broadcast, *, actor: User | None) -> None:
    """Hold what has not left; messages on their way are finished.

    Raises:
        NotSteerable: it is not being sent.
    """
    _steer(broadcast, mailings.pause, "broadcast_pause", _("It is not being sent just now."), actor)


def resume(broadcast: Broadcast, *, actor: User | None) -> None:
    """Go on.

    Raises:
        NotSteerable: it is not paused.
    """
    _steer(broadcast, mailings.resume, "broadcast_resume", _("It is not paused."), actor)


def cancel(broadcast: Broadcast, *, actor: User | None) -> None:
    """Skip everybody who has not got it; this cannot be undone.

    Raises:
        NotSteerable: it is over, or was never started.
    """
    _steer(broadcast, mailings.cancel, "broadcast_cancel", _("It is not under way any more."), actor)


def retry(broadcast: Broadcast, *, actor: User | None, failed: bool = False) -> int:
    """Try those who were put off again now, and with `failed` those whose server refused; how many.

    Who may have got it (outcome unknown) is left alone.

    Raises:
        NotSteerable: there is nobody to try again, or it was cancelled.
    """
    with transaction.atomic():
        chosen = mailings.retry(broadcast.mailing, actor=actor, failed=failed) if broadcast.mailing else 0
        if not chosen:
            raise NotSteerable(_("There is nobody to try again."))
        audit.record(actor, "broadcast_retry", broadcast, recipients=chosen, failed=failed)
        broadcast.refresh_from_db()
    return chosen


def _steer(broadcast: Broadcast, change: Callable[..., bool], verb: str, why_not: str, actor: User | None) -> None:
    with transaction.atomic():
        if broadcast.mailing is None or not change(broadcast.mailing, actor=actor):
            raise NotSteerable(why_not)
        audit.record(actor, verb, broadcast)
        broadcast.refresh_from_db()
