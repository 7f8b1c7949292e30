"""How transports stand: whether they send just now, and if not, why; how many messages the last minutes brought."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from envoi.core import clock
from envoi.delivery.limits import windows
from envoi.delivery.models import Delivery, Mailing, Shift, Tally, Transport
from envoi.instance import queries as instance
from envoi.instance.schema import TIME_ZONE

RATE_OVER = timedelta(minutes=2)


class Condition(StrEnum):
    """What a transport does just now."""

    READY = "ready"
    SENDING = "sending"
    CLOSED = "closed"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one transport stands.

    Attributes:
        why: of one that is paused or closed, for people.
        per_minute: messages that were sent a minute over the last two.
    """

    condition: Condition
    why: str = ""
    per_minute: float = 0.0


def standings(transports: Sequence[Transport]) -> dict[int, Standing]:
    """How each of `transports` stands, by its key. The same few statements however many there are."""
    now = clock.now()
    sending = set(Shift.objects.filter(until__gt=now).values_list("transport", flat=True).distinct())
    zone = ZoneInfo(instance.get(TIME_ZONE))
    rates = _rates(now)
    found = {}
    for one in transports:
        condition, why = Condition.SENDING if one.pk in sending else Condition.READY, ""
        if one.paused_at:
            condition, why = Condition.PAUSED, one.paused_reason
        elif (opens := _opens(one, zone, now)) != now:
            condition, why = Condition.CLOSED, _words(opens)
        found[one.pk] = Standing(condition, why, rates[one.pk])
    return found


def _opens(transport: Transport, zone: ZoneInfo, now: datetime) -> datetime | None:
    days = frozenset(int(day) for day in transport.open_days)
    return windows.opens_at(windows.Hours(transport.open_from, transport.open_until, days, zone), now)


def _words(opens: datetime | None) -> str:
    if opens is None:
        return _("No day is left on which it sends.")
    moment = date_format(timezone.localtime(opens), "SHORT_DATETIME_FORMAT")
    return _("Outside its hours until %(moment)s.") % {"moment": moment}


def _rates(now: datetime) -> defaultdict[int, float]:
    """Messages a minute by transport. Those of a sender with several transports count for its own one."""
    alive = Mailing.objects.filter(Q(state=Mailing.State.RUNNING) | Q(state_changed_at__gt=now - RATE_OVER))
    counted = (
        Tally.objects.filter(mailing__in=alive, state=Delivery.State.SENT, minute__gt=now - RATE_OVER)
        .values_list("mailing__identity__transport")
        .annotate(number=Sum("count"))
        .order_by()
    )
    rates: defaultdict[int, float] = defaultdict(float)
    # The tally of a minute begins with that minute: between one and two of them have passed.
    passed = 1 + (now - now.replace(second=0, microsecond=0)) / timedelta(minutes=1)
    for transport, number in counted:
        rates[transport] = max(0, number) / passed
    return rates
