"""The rates of a transport, kept by one row that all workers on all machines share.

A slot is the moment at which one message may leave. Slots stand evenly apart, so that no second and no hour, wherever
one begins to count, holds more than the transport's limits. Slots that a worker reserved and did not use are lost, not
saved up.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from envoi.core import clock
from envoi.delivery.models import Pace, Transport


def interval(transport: Transport) -> timedelta:
    """The time between two messages; zero when the transport has no limit."""
    apart = [1 / transport.per_second] if transport.per_second else []
    apart += [3600 / transport.per_hour] if transport.per_hour else []
    return timedelta(seconds=max(apart, default=0))


def reserve(transport: Transport, wanted: int, within: timedelta) -> tuple[list[datetime], datetime]:
    """Up to `wanted` slots that begin no later than `within` from now, and when the first slot after them begins."""
    now = clock.now()
    step = interval(transport)
    if not step:
        return [now] * wanted, now
    with transaction.atomic():
        Pace.objects.bulk_create([Pace(transport=transport, next_at=now)], ignore_conflicts=True)
        pace = Pace.objects.select_for_update().get(transport=transport)
        first = max(pace.next_at, now)
        room = int((now + within - first) / step) + 1 if first <= now + within else 0
        taken = min(wanted, room)
        if taken:
            pace.next_at = first + taken * step
            pace.save(update_fields=["next_at"])
    return [first + number * step for number in range(taken)], first + taken * step
