"""Begin the next run of a transport that sends in portions, because a person wants it now."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.core import clock, wording
from envoi.delivery.actions.standstill import wake_waiting
from envoi.delivery.limits import hindrances
from envoi.delivery.models import Transport
from envoi.delivery.queries import pace
from envoi.delivery.queries.portions import Portion, portion_of


class NotNow(ValueError):
    """No portion can be sent now; the message says why, for a person."""


def send_next(transport: Transport, *, actor: User | None) -> int:
    """Let the next portion leave at once, whenever it would be due; how many messages it may hold.

    The workers send it in their turns, as one that began by itself: one that dies costs nothing but time.

    Raises:
        NotNow: nothing waits, a portion is leaving, or the transport is hindered.
    """
    with transaction.atomic():
        # Whoever presses twice, or two people at once, send one portion.
        pace.locked(transport)
        transport.refresh_from_db()
        if why := why_not(transport, portion_of(transport)):
            raise NotNow(why)
        number = pace.begin_run(transport)
        audit.record(actor, "send_portion", transport, messages=number)
        wake_waiting(transport)
    return number


def why_not(transport: Transport, portion: Portion) -> str:
    """What is in the way of the next portion, for people; "" when it can be sent."""
    if not pace.in_portions(transport):
        return _("“%(name)s” does not send in portions.") % {"name": transport}
    if transport.paused_at:
        return _("It is paused: %(reason)s") % {"reason": wording.said(transport.paused_reason)}
    closed = hindrances.of_hours(transport, clock.now())
    if closed is not None:
        return closed.text
    if not portion.waiting:
        return _("Nothing waits to be sent over it.")
    return _("A portion is leaving already.") if portion.under_way else ""
