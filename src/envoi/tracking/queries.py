"""Numbers of what readers did. Set-based; each function is one statement, two where it says so.

People are counted without machines (`automated.MACHINES`); a proxy that fetches for a reader counts as that reader.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import connection
from django.db.models import Count, Exists, Func, OuterRef, Q, QuerySet
from django.db.models.functions import Substr, TruncHour

from envoi.audiences.models import Subscription
from envoi.contacts.models import Suppression
from envoi.delivery.models import Delivery, Mailing
from envoi.tracking import automated, origins
from envoi.tracking.models import Activity, TrackedLink

MACHINE = Q(automated__in=automated.MACHINES)


@dataclass(frozen=True, slots=True)
class Numbers:
    """How often something happened.

    Attributes:
        total: every time, machines too.
        unique: different recipients, machines too.
        people: different recipients who did it themselves, as far as can be told.
    """

    total: int = 0
    unique: int = 0
    people: int = 0


@dataclass(frozen=True, slots=True)
class MailingCounts:
    """What the recipients of one mailing did."""

    opens: Numbers = field(default_factory=Numbers)
    clicks: Numbers = field(default_factory=Numbers)
    unsubscribes: Numbers = field(default_factory=Numbers)
    resubscribes: Numbers = field(default_factory=Numbers)


@dataclass(frozen=True, slots=True)
class LinkCount:
    """How often one link of a mailing was followed; `url` as registered, with merge tags."""

    id: int
    position: int
    url: str
    label: str
    clicks: Numbers


@dataclass(frozen=True, slots=True)
class Hour:
    """What happened in the hour that begins at `at` (UTC): totals of people and of machines."""

    at: datetime
    opens: int
    opens_by_machines: int
    clicks: int
    clicks_by_machines: int


@dataclass(frozen=True, slots=True)
class Did:
    """What one recipient did. `opened` and `clicked` by themselves; `machine` if a machine did something for them."""

    opened: bool = False
    clicked: bool = False
    unsubscribed: bool = False
    machine: bool = False


def _counts() -> dict[str, Count]:
    return {
        "total": Count("pk"),
        "unique": Count("delivery", distinct=True),
        "people": Count("delivery", distinct=True, filter=~MACHINE),
    }


def mailing_counts(mailing: Mailing | int) -> MailingCounts:
    """The numbers of one mailing."""
    rows = Activity.objects.filter(mailing=mailing).order_by().values_list("type").annotate(**_counts())
    found = {type_: Numbers(total, unique, people) for type_, total, unique, people in rows}
    return MailingCounts(
        opens=found.get(Activity.Type.OPEN, Numbers()),
        clicks=found.get(Activity.Type.CLICK, Numbers()),
        unsubscribes=found.get(Activity.Type.UNSUBSCRIBE, Numbers()),
        resubscribes=found.get(Activity.Type.RESUBSCRIBE, Numbers()),
    )


def link_counts(mailing: Mailing | int) -> list[LinkCount]:
    """The tracked links of one mailing in their order, also those nobody followed. Two statements."""
    clicks = Activity.objects.filter(mailing=mailing, type=Activity.Type.CLICK, link__isnull=False)
    rows = clicks.order_by().values_list("link").annotate(**_counts())
    found = {link: Numbers(total, unique, people) for link, total, unique, people in rows}
    return [
        LinkCount(link.pk, link.position, link.url, link.label, found.get(link.pk, Numbers()))
        for link in TrackedLink.objects.filter(mailing=mailing).order_by("position")
    ]


def hours(mailing: Mailing | int) -> list[Hour]:
    """The hours in which something was opened or clicked, in order; hours in which nothing was are left out."""
    opened, clicked = Q(type=Activity.Type.OPEN), Q(type=Activity.Type.CLICK)
    rows = (
        Activity.objects.filter(opened | clicked, mailing=mailing)
        .annotate(hour=_hour())
        .values("hour")
        .annotate(
            opens=Count("pk", filter=opened & ~MACHINE),
            opens_by_machines=Count("pk", filter=opened & MACHINE),
            clicks=Count("pk", filter=clicked & ~MACHINE),
            clicks_by_machines=Count("pk", filter=clicked & MACHINE),
        )
        .order_by("hour")
    )
    return [
        Hour(_moment(row["hour"]), row["opens"], row["opens_by_machines"], row["clicks"], row["clicks_by_machines"])
        for row in rows
    ]


def _hour() -> Func:
    """The hour of `at`. SQLite calls Python for TruncHour (4 s for a million rows); there times are text in UTC."""
    return Substr("at", 1, len("2026-03-01 09")) if connection.vendor == "sqlite" else TruncHour("at", tzinfo=UTC)


def _moment(hour: str | datetime) -> datetime:
    return hour if isinstance(hour, datetime) else datetime.fromisoformat(f"{hour}:00+00:00")


def did(deliveries: Iterable[Delivery]) -> dict[int, Did]:
    """What the recipients of these deliveries (a page of the log) did, by the delivery's id."""
    ids = [delivery.pk for delivery in deliveries]
    rows = (
        Activity.objects.filter(delivery__in=ids)
        .order_by()
        .values_list("delivery_id")
        .annotate(
            opened=Count("pk", filter=Q(type=Activity.Type.OPEN) & ~MACHINE),
            clicked=Count("pk", filter=Q(type=Activity.Type.CLICK) & ~MACHINE),
            left=Count("pk", filter=Q(type=Activity.Type.UNSUBSCRIBE)),
            back=Count("pk", filter=Q(type=Activity.Type.RESUBSCRIBE)),
            machine=Count("pk", filter=MACHINE),
        )
    )
    found = {
        pk: Did(bool(opened), bool(clicked), left > back, bool(machine))
        for pk, opened, clicked, left, back, machine in rows
    }
    return {pk: found.get(pk, Did()) for pk in ids}


def who_did(
    deliveries: QuerySet[Delivery], type_: str, *, link: int | None = None, machines: bool = False
) -> QuerySet[Delivery]:
    """Those of `deliveries` whose recipient did it: opened, clicked (one `link`), unsubscribed.

    Args:
        type_: an `Activity.Type`.
        machines: count what machines did as well.
    """
    return deliveries.filter(_exists(type_, link, machines))


def who_did_not(deliveries: QuerySet[Delivery], type_: str, *, machines: bool = False) -> QuerySet[Delivery]:
    """The rest: those of `deliveries` whose recipient did not."""
    return deliveries.exclude(_exists(type_, None, machines))


def with_signs(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Those of `deliveries` of which we know that they arrived: somebody, or a machine, did something with them."""
    signs = (Activity.Type.OPEN, Activity.Type.CLICK, Activity.Type.UNSUBSCRIBE)
    return deliveries.filter(Exists(Activity.objects.filter(delivery=OuterRef("pk"), type__in=signs)))


def _exists(type_: str, link: int | None, machines: bool) -> Exists:
    found = Activity.objects.filter(delivery=OuterRef("pk"), type=type_)
    if link is not None:
        found = found.filter(link=link)
    return Exists(found if machines else found.exclude(MACHINE))


def history(delivery: Delivery) -> QuerySet[Activity]:
    """What happened to one message, the first first."""
    return Activity.objects.filter(delivery=delivery).select_related("link").order_by("at", "pk")


@dataclass(frozen=True, slots=True)
class Standing:
    """What the reader of a message is subscribed to, for the page that lets them leave.

    Attributes:
        suppressed: the reason why the address gets no mail at all, "" if it does.
        lists: the names of the mailing's lists that the address is on.
        left: the names of those that it left.
        may_come_back: whether there is something that the reader may take back here.
    """

    suppressed: str
    lists: list[str]
    left: list[str]
    may_come_back: bool


def standing(delivery: Delivery) -> Standing:
    """Three statements, and what the mailing's origin asks."""
    reason = Suppression.objects.filter(address_key=delivery.address_key).values_list("reason", flat=True).first()
    origin = origins.of(delivery.mailing)
    rows = (
        Subscription.objects.filter(
            contact__address_key=delivery.address_key,
            list__in=list(origin.lists(delivery.mailing)) if origin else [],
        )
        .order_by("list__name")
        .values_list("list__name", "status")
    )
    left = {name for name, status in rows if status == Subscription.Status.UNSUBSCRIBED}
    on = {name for name, status in rows if status != Subscription.Status.UNSUBSCRIBED}
    by_reader = reason == Suppression.Reason.UNSUBSCRIBED
    return Standing(
        suppressed=reason or "",
        lists=sorted(on),
        left=sorted(left - on),
        may_come_back=by_reader or (not reason and bool(ended_by(delivery))),
    )


def ended_by(delivery: Delivery) -> list[int]:
    """The subscriptions that this message's reader ended since they last came back."""
    ended: list[int] = []
    steps = Activity.objects.filter(
        delivery=delivery, type__in=[Activity.Type.UNSUBSCRIBE, Activity.Type.RESUBSCRIBE]
    ).order_by("-at", "-pk")
    for step in steps[:100]:
        if step.type == Activity.Type.RESUBSCRIBE:
            break
        ended += _subscriptions(step.detail)
    return ended


def _subscriptions(detail: str) -> list[int]:
    try:
        return list(json.loads(detail)["subscriptions"])
    except (ValueError, KeyError, TypeError):
        return []
