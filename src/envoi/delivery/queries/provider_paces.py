"""Limits towards receiving providers: those that were set, those that a slow-down made, and the clocks of both."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from envoi.core import clock
from envoi.delivery.limits import slowing
from envoi.delivery.limits.slowing import Slowdown
from envoi.delivery.models import ProviderLimit, ProviderPace, Shift, Transport

# Clocks that nobody used for so long say nothing any more.
FORGOTTEN_AFTER = timedelta(days=1)
MOST_WORDS = 1000


@dataclass(frozen=True, slots=True)
class Rule:
    """What is allowed towards one provider at this moment.

    Attributes:
        per_second, at_once: None for no limit.
        slowed: by the provider's own word, not only by what was set.
    """

    per_second: float | None
    at_once: int | None
    slowed: bool = False


@dataclass(frozen=True, slots=True)
class Slowed:
    """A provider towards which a transport is slowed down, for the page of the transport.

    Attributes:
        per_minute, at_once: what is allowed at this moment; `full_per_minute` is where it goes back to.
        reply: the last answer that asked for less.
    """

    provider: str
    since: datetime
    last_at: datetime
    per_minute: float
    full_per_minute: float
    at_once: int
    reply: str


def rules(transport: Transport) -> dict[str, Rule]:
    """The rule of each provider that has one; "" is that of all the others. Two statements."""
    now = clock.now()
    found = {
        limit.provider: Rule(limit.per_minute / 60 if limit.per_minute else None, limit.at_once)
        for limit in ProviderLimit.objects.filter(transport=transport)
    }
    for pace in ProviderPace.objects.filter(transport=transport, slowed_at__isnull=False):
        slowdown = slowdown_of(pace)
        if slowdown is not None and not slowing.over(slowdown, now):
            given = found.get(pace.provider) or found.get("") or Rule(None, None)
            found[pace.provider] = Rule(
                min(slowing.rate_at(slowdown, now), given.per_second or slowdown.full_rate),
                min(slowing.at_once_at(slowdown, now), given.at_once or slowdown.full_at_once),
                slowed=True,
            )
    return found


def slowed(transport: Transport) -> list[Slowed]:
    """The providers towards which `transport` is slowed down just now, the latest first. One statement."""
    now, found = clock.now(), []
    for pace in ProviderPace.objects.filter(transport=transport, slowed_at__isnull=False).order_by("-cut_at"):
        slowdown = slowdown_of(pace)
        if slowdown is not None and not slowing.over(slowdown, now):
            found.append(
                Slowed(
                    pace.provider,
                    slowdown.since,
                    slowdown.cut_at,
                    slowing.rate_at(slowdown, now) * 60,
                    slowdown.full_rate * 60,
                    slowing.at_once_at(slowdown, now),
                    pace.reply,
                )
            )
    return found


def slow_down(transport: Transport, provider: str, rate: float, at_once: int, reply: str) -> None:
    """Halve what is allowed towards `provider`, unless that was done seconds ago.

    Args:
        rate, at_once: what is in force, or was measured, when nothing is slowed down yet.
    """
    now = clock.now()
    with transaction.atomic():
        pace = locked(transport, [provider])[provider]
        after = slowing.cut(slowdown_of(pace), now, rate, at_once)
        pace.slowed_at, pace.cut_at = after.since, after.cut_at
        pace.rate, pace.full_rate = after.rate, after.full_rate
        pace.at_once, pace.full_at_once = after.at_once, after.full_at_once
        pace.reply = reply[:MOST_WORDS]
        pace.save()
        Transport.objects.filter(pk=transport.pk).update(minds_providers=True)
    transport.minds_providers = True


def forget_slowdown(transport: Transport, provider: str) -> bool:
    """End a slow-down at once; whether there was one."""
    return bool(ProviderPace.objects.filter(transport=transport, provider=provider).delete()[0])


def tidy() -> None:
    """Forget slow-downs that are over and clocks that nobody uses; let transports without any look away again."""
    now = clock.now()
    if not Transport.objects.filter(minds_providers=True).exists():
        return
    ended = [
        pace.pk
        for pace in ProviderPace.objects.filter(slowed_at__isnull=False)
        if (slowdown := slowdown_of(pace)) is None or slowing.over(slowdown, now)
    ]
    ProviderPace.objects.filter(pk__in=ended).delete()
    ProviderPace.objects.filter(slowed_at=None, put_off_to__lt=now - FORGOTTEN_AFTER).delete()
    mine = {"transport": OuterRef("pk")}
    Transport.objects.filter(
        ~Exists(ProviderLimit.objects.filter(**mine)),
        ~Exists(ProviderPace.objects.filter(**mine, slowed_at__isnull=False)),
        minds_providers=True,
    ).update(minds_providers=False)
    ProviderPace.objects.filter(transport__minds_providers=False).delete()


def locked(transport: Transport, providers: Collection[str]) -> dict[str, ProviderPace]:
    """The clocks of `providers`, locked until the transaction ends; made where there are none."""
    mine = ProviderPace.objects.select_for_update().filter(transport=transport, provider__in=providers)
    found = {pace.provider: pace for pace in mine.order_by("provider")}
    missing = sorted(set(providers) - set(found))
    if not missing:
        return found
    now = clock.now()
    fresh = [ProviderPace(transport=transport, provider=name, next_at=now, put_off_to=now) for name in missing]
    ProviderPace.objects.bulk_create(fresh, ignore_conflicts=True)
    return {pace.provider: pace for pace in mine.order_by("provider")}


def save_clocks(paces: Mapping[str, ProviderPace]) -> None:
    """Store how far slots and the queues of those put off have come."""
    ProviderPace.objects.bulk_update(paces.values(), ["next_at", "put_off_to"])


def share_of_shift(transport: Transport, worker: str) -> tuple[int, int]:
    """Which of the shifts over `transport` that of `worker` is, from 0 on, and how many there are (at least 1)."""
    alive = list(
        Shift.objects.filter(transport=transport, until__gt=clock.now()).order_by("id").values_list("worker", flat=True)
    )
    return (alive.index(worker) if worker in alive else 0), max(1, len(alive))


def slowdown_of(pace: ProviderPace) -> Slowdown | None:
    """What the row says of a slow-down."""
    if pace.slowed_at is None or pace.cut_at is None or pace.rate is None or pace.full_rate is None:
        return None
    return Slowdown(pace.slowed_at, pace.cut_at, pace.rate, pace.full_rate, pace.at_once or 1, pace.full_at_once or 1)
