"""What came of a notice: numbers, and who did what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, Sum

from envoi.contacts import queries as contacts
from envoi.notices.models import Notice, Reading

CLICKED = Q(clicks__gt=0)
DID = {
    "dismissed": Q(dismissed_at__isnull=False),
    "acknowledged": Q(acknowledged_at__isnull=False),
    "clicked": CLICKED,
    "neither": Q(dismissed_at=None, acknowledged_at=None, clicks=0),
}


@dataclass(frozen=True, slots=True)
class Numbers:
    """How many people saw, dismissed, acknowledged and clicked a notice; `clicks` counts all clicks."""

    seen: int = 0
    dismissed: int = 0
    acknowledged: int = 0
    clicked: int = 0
    clicks: int = 0


def numbers(notice: Notice) -> Numbers:
    """The numbers of this moment; one statement over the readings of this notice."""
    return numbers_of([notice.pk])[notice.pk]


def numbers_of(notice_ids: Sequence[int]) -> dict[int, Numbers]:
    """The numbers of several notices; one statement."""
    rows = (
        Reading.objects.filter(notice__in=notice_ids)
        .values_list("notice_id")
        .annotate(
            seen=Count("id"),
            dismissed=Count("dismissed_at"),
            acknowledged=Count("acknowledged_at"),
            clicked=Count("id", filter=CLICKED),
            all_clicks=Sum("clicks", default=0),
        )
        .order_by()
    )
    found = {pk: Numbers(*counts) for pk, *counts in rows}
    return {pk: found.get(pk, Numbers()) for pk in notice_ids}


def readings(notice: Notice, *, search: str = "", did: str = "") -> QuerySet[Reading]:
    """What each person did, narrowed down; page them with `paginate(rows, ("-id",))`.

    Args:
        search: as contacts are searched.
        did: one of `DID`; "" for everybody who saw it.
    """
    rows = notice.readings.select_related("contact")
    if search.strip():
        rows = rows.filter(contact__in=contacts.search(search).values("id"))
    return rows.filter(DID[did]) if did in DID else rows
