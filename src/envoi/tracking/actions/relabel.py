"""Say which opens and clicks were a machine's, from what is stored about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.delivery.models import Delivery, Mailing
from envoi.tracking import automated
from envoi.tracking.models import Activity

CHUNK = 500
LABELLED = (Activity.Type.OPEN, Activity.Type.CLICK)


def relabel(mailing: Mailing, *, actor: User | None) -> int:
    """Compute the labels of a mailing anew, after the rules changed. Safe to stop half-way and to repeat.

    Returns:
        How many labels changed.
    """
    changed, after = 0, 0
    activities = Activity.objects.filter(mailing=mailing, type__in=LABELLED)
    while ids := _next_deliveries(activities, after):
        after = ids[-1]
        with transaction.atomic():
            sent = sent_times(ids)
            rows = label(activities.filter(delivery__in=ids), sent)
            Activity.objects.bulk_update(rows, ["automated"], batch_size=CHUNK)
        changed += len(rows)
    audit.record(actor, "relabel", mailing, changed=changed)
    return changed


def _next_deliveries(activities: QuerySet[Activity], after: int) -> list[int]:
    found = activities.filter(delivery__gt=after).order_by("delivery_id").values_list("delivery_id", flat=True)
    return list(found.distinct()[:CHUNK])


def sent_times(delivery_ids: Iterable[int]) -> dict[int, datetime | None]:
    """When each of the deliveries was accepted, as far as known."""
    found = Delivery.objects.filter(pk__in=list(delivery_ids)).only("state", "state_at", "first_attempt_at")
    return {delivery.pk: sent_time(delivery) for delivery in found}


def sent_time(delivery: Delivery) -> datetime | None:
    """When the delivery was accepted; while that is not known, when it was first tried."""
    return delivery.state_at if delivery.state == Delivery.State.SENT else delivery.first_attempt_at


def label(activities: Iterable[Activity], sent: Mapping[int, datetime | None]) -> list[Activity]:
    """Set the label of each of `activities` (stored or not yet) and give those whose label changed.

    Args:
        sent: when each delivery was accepted.
    """
    of_delivery: dict[int, list[Activity]] = defaultdict(list)
    for activity in activities:
        of_delivery[activity.delivery_id].append(activity)
    changed = []
    for delivery_id, rows in of_delivery.items():
        rows.sort(key=lambda row: row.at)
        facts = [
            automated.Fact(row.at, row.link_id, row.detail or "GET", row.user_agent, sent.get(delivery_id))
            for row in rows
        ]
        for row, found in zip(rows, automated.labels(facts), strict=True):
            if row.automated != found:
                row.automated = found
                changed.append(row)
    return changed
