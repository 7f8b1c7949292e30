"""Readers unsubscribe, and take it back. At once: what is not yet sent to the address is not sent.

Guarantee: each may be repeated without further effect. Taking back undoes what this reader did by unsubscribing and
nothing else: an address suppressed for a bounce, a complaint or by hand stays so.
"""

from __future__ import annotations

import json
import secrets

from django.db import transaction

from envoi.audiences.actions import unsubscribing
from envoi.contacts.actions import suppressions
from envoi.contacts.models import Suppression
from envoi.core import clock
from envoi.delivery.models import Delivery
from envoi.tracking import origins, queries
from envoi.tracking.models import Activity

ONE_CLICK = "one-click"
PAGE = "page"
ROOM = Activity._meta.get_field("detail").max_length or 0


def unsubscribe(delivery_id: int, *, everything: bool, way: str) -> bool:
    """Leave the lists of the message's mailing and, if `everything`, let the address be mailed never again.

    Args:
        way: ONE_CLICK or PAGE.

    Returns:
        Whether anything changed by it.

    Raises:
        Delivery.DoesNotExist: the message is no longer on record.
    """
    with transaction.atomic():
        delivery = _locked(delivery_id)
        origin = origins.of(delivery.mailing)
        lists = list(origin.lists(delivery.mailing)) if origin else []
        ended = unsubscribing.leave(delivery.address_key, lists)
        suppressed = everything and _suppress(delivery)
        if ended or suppressed:
            _record(delivery, Activity.Type.UNSUBSCRIBE, {"way": way, "all": suppressed, "subscriptions": ended})
        return bool(ended or suppressed)


def resubscribe(delivery_id: int) -> bool:
    """Take back what unsubscribing by this message did; says whether anything changed.

    Raises:
        Delivery.DoesNotExist: the message is no longer on record.
    """
    with transaction.atomic():
        delivery = _locked(delivery_id)
        by_reader = Suppression.objects.filter(
            address_key=delivery.address_key, reason=Suppression.Reason.UNSUBSCRIBED
        ).first()
        if by_reader is not None:
            suppressions.lift(by_reader, actor=None)
        back = unsubscribing.come_back(delivery.address_key, queries.ended_by(delivery))
        if by_reader is not None or back:
            _record(delivery, Activity.Type.RESUBSCRIBE, {"way": PAGE, "all": by_reader is not None})
        return bool(by_reader is not None or back)


def _locked(delivery_id: int) -> Delivery:
    """The delivery, so that of two presses of the button at once the second finds what the first did."""
    return Delivery.objects.select_related("mailing").select_for_update(of=("self",)).get(pk=delivery_id)


def _suppress(delivery: Delivery) -> bool:
    known = Suppression.objects.filter(address_key=delivery.address_key).exists()
    suppressions.suppress(
        delivery.address_key,
        Suppression.Reason.UNSUBSCRIBED,
        source=f"mailing {delivery.mailing.key}",
        actor=None,
    )
    return not known


def _record(delivery: Delivery, type_: str, detail: dict[str, object]) -> None:
    written = json.dumps(detail)
    if len(written) > ROOM:
        # Somebody on dozens of lists: coming back is then done list by list, by hand.
        written = json.dumps({**detail, "subscriptions": []})
    Activity.objects.create(
        uid=secrets.token_hex(16),
        mailing=delivery.mailing,
        delivery=delivery,
        type=type_,
        at=clock.now(),
        detail=written,
    )
