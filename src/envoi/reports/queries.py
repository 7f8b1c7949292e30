"""What came of a broadcast. How far one is, `delivery.queries.progress` tells.

Cheap with a million recipients: what became of them is summed from delivery's tallies (a row per minute and state), not
counted in the ledger; what readers did is counted over the activities of the mailing, by an index.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from django.db.models import Count, Sum

from envoi.delivery.models import Delivery, Mailing, Tally
from envoi.tracking import queries as tracking
from envoi.tracking.models import Activity

State = Delivery.State
HOURLY = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Readers:
    """What the readers of a mailing did: people, and beside them what only machines did.

    Attributes:
        opened, clicked: different recipients who did it themselves, as far as can be told.
        opened_by_machines, clicked_by_machines: different recipients for whom only a machine did it.
    """

    opened: int
    opened_by_machines: int
    clicked: int
    clicked_by_machines: int
    unsubscribed: int


@dataclass(frozen=True, slots=True)
class Headline:
    """The three numbers of a line in the list of broadcasts."""

    sent: int = 0
    opened: int = 0
    clicked: int = 0


def readers(mailing: Mailing) -> Readers:
    """What the readers did; one statement."""
    counts = tracking.mailing_counts(mailing)
    return Readers(
        opened=counts.opens.people,
        opened_by_machines=counts.opens.unique - counts.opens.people,
        clicked=counts.clicks.people,
        clicked_by_machines=counts.clicks.unique - counts.clicks.people,
        unsubscribed=counts.unsubscribes.unique,
    )


def headlines(mailing_ids: Sequence[int]) -> dict[int, Headline]:
    """The numbers for a page of the list, by mailing; two statements however many there are."""
    sent = dict(
        Tally.objects.filter(mailing__in=mailing_ids, state=State.SENT)
        .values_list("mailing")
        .annotate(number=Sum("count"))
        .order_by()
    )
    did: dict[int, dict[str, int]] = defaultdict(dict)
    activities = Activity.objects.filter(
        ~tracking.MACHINE, mailing__in=mailing_ids, type__in=[Activity.Type.OPEN, Activity.Type.CLICK]
    )
    for mailing, type_, number in (
        activities.values_list("mailing", "type").annotate(number=Count("delivery", distinct=True)).order_by()
    ):
        did[mailing][type_] = number
    return {
        pk: Headline(sent.get(pk, 0), did[pk].get(Activity.Type.OPEN, 0), did[pk].get(Activity.Type.CLICK, 0))
        for pk in mailing_ids
    }


@dataclass(frozen=True, slots=True)
class Span:
    """What happened in an hour or a day that begins at `at`: totals of people, and of machines beside them."""

    at: datetime
    opens: int = 0
    clicks: int = 0
    by_machines: int = 0


def over_time(hours: Sequence[tracking.Hour], zone: tzinfo) -> tuple[list[Span], bool]:
    """The course of opens and clicks without gaps: by the hour up to three days, else by the day of `zone`.

    Returns:
        The spans, and whether they are days. [] when nothing happened.
    """
    if not hours:
        return [], False
    daily = hours[-1].at - hours[0].at > HOURLY
    totals: dict[datetime, list[int]] = defaultdict(lambda: [0, 0, 0])
    for hour in hours:
        begins = hour.at.astimezone(zone)
        at = begins.replace(hour=0) if daily else begins
        found = totals[at.replace(minute=0) if daily else at]
        found[0] += hour.opens
        found[1] += hour.clicks
        found[2] += hour.opens_by_machines + hour.clicks_by_machines
    moment, last, spans = min(totals), max(totals), []
    while moment <= last:
        spans.append(Span(moment, *totals.get(moment, (0, 0, 0))))
        moment = moment + timedelta(days=1) if daily else (moment.astimezone(UTC) + timedelta(hours=1)).astimezone(zone)
    return spans, daily
