"""How transports stand: whether they send just now, and if not, why; how many messages the last minutes brought."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Count, Q, QuerySet, Sum

from envoi.core import clock
from envoi.delivery.limits import hindrances
from envoi.delivery.limits.hindrances import Kind
from envoi.delivery.models import Delivery, Mailing, Pace, Shift, Tally, Transport

RATE_OVER = timedelta(minutes=2)
LAST_ROWS = 5_000


class Condition(StrEnum):
    """What a transport does just now."""

    READY = "ready"
    SENDING = "sending"
    WAITING = "waiting"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one transport stands.

    Attributes:
        why: of one that is paused or waits (for its hours, its next run, its rate), for people.
        per_minute: messages that were sent a minute over the last two.
    """

    condition: Condition
    why: str = ""
    per_minute: float = 0.0


def names(keys: Collection[int | None]) -> dict[int | None, str]:
    """What the transports with these keys are called. Those that were removed meanwhile have no name."""
    asked = [key for key in keys if key is not None]
    return dict(Transport.objects.filter(pk__in=asked).values_list("pk", "name")) if asked else {}


def standings(transports: Sequence[Transport]) -> dict[int, Standing]:
    """How each of `transports` stands, by its key. The same few statements however many there are."""
    now = clock.now()
    sending = set(Shift.objects.filter(until__gt=now).values_list("transport", flat=True).distinct())
    paces = Pace.objects.in_bulk([one.pk for one in transports])
    rates, where = _rates(now), hindrances.zone()
    found = {}
    for one in transports:
        condition, why = Condition.SENDING if one.pk in sending else Condition.READY, ""
        hindrance = hindrances.of_transport(one, paces.get(one.pk), now, worked=one.pk in sending, where=where)
        if hindrance is not None and hindrance.text:
            condition = Condition.PAUSED if hindrance.kind is Kind.PAUSED else Condition.WAITING
            why = hindrance.text
        found[one.pk] = Standing(condition, why, rates[one.pk])
    return found


def _rates(now: datetime) -> defaultdict[int, float]:
    """Messages a minute by transport. Two statements, and one more while mailings go over several."""
    alive = Mailing.objects.filter(Q(state=Mailing.State.RUNNING) | Q(state_changed_at__gt=now - RATE_OVER))
    counted = list(
        Tally.objects.filter(mailing__in=alive, state=Delivery.State.SENT, minute__gt=now - RATE_OVER)
        .values_list("mailing", "mailing__identity__transport")
        .annotate(number=Sum("count"))
        .order_by()
    )
    routed = Mailing.objects.filter(pk__in=[mailing for mailing, _own, _number in counted])
    shares = _shares(routed.filter(identity__routes__isnull=False).distinct(), now)
    rates: defaultdict[int, float] = defaultdict(float)
    # The tally of a minute begins with that minute: between one and two of them have passed.
    passed = 1 + (now - now.replace(second=0, microsecond=0)) / timedelta(minutes=1)
    for mailing, own, number in counted:
        carried = shares.get(mailing) or {own: 1}
        for transport, part in carried.items():
            rates[transport] += max(0, number) * part / sum(carried.values()) / passed
    return rates


def _shares(mailings: QuerySet[Mailing], now: datetime) -> dict[int, dict[int, int]]:
    """How many of the last rows of each mailing which transport carried: its rows stand one after the other."""
    last = Q()
    for pk, leased_to in mailings.values_list("pk", "leased_to"):
        last |= Q(mailing=pk, pk__gt=leased_to - LAST_ROWS, pk__lte=leased_to)
    shares: defaultdict[int, dict[int, int]] = defaultdict(dict)
    if last:
        rows = Delivery.objects.filter(last, state_at__gt=now - RATE_OVER, transport__isnull=False)
        for mailing, transport, number in rows.values_list("mailing", "transport").annotate(Count("pk")).order_by():
            shares[mailing][transport] = number
    return shares
