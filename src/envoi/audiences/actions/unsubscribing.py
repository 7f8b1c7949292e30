"""Readers leave lists, and come back: by their address, whichever contacts hold it."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from envoi.audiences.events import ReachChanged, Unsubscribed
from envoi.audiences.models import Subscription
from envoi.core import clock, events


def leave(address_key: str, list_ids: Iterable[int]) -> list[int]:
    """End the subscriptions of an address to these lists; gives the ids of those that ended now.

    Nobody's account did this: the one who calls records whose message it was.
    """
    with transaction.atomic():
        found = list(
            Subscription.objects.filter(contact__address_key=address_key, list__in=list(list_ids))
            .exclude(status=Subscription.Status.UNSUBSCRIBED)
            .order_by("pk")
        )
        ids = [subscription.pk for subscription in found]
        _set(ids, Subscription.Status.UNSUBSCRIBED)
        for subscription in found:
            events.announce(Unsubscribed(subscription.list_id, subscription.contact_id))
    return ids


def come_back(address_key: str, subscription_ids: Iterable[int]) -> int:
    """Confirm again those of these subscriptions that the address ended; says how many."""
    with transaction.atomic():
        ended = Subscription.objects.filter(
            contact__address_key=address_key, pk__in=list(subscription_ids), status=Subscription.Status.UNSUBSCRIBED
        )
        return _set(list(ended.values_list("pk", flat=True)), Subscription.Status.CONFIRMED)


def _set(ids: list[int], status: str) -> int:
    if not ids:
        return 0
    events.announce(ReachChanged())
    return Subscription.objects.filter(pk__in=ids).update(status=status, changed_at=clock.now())
