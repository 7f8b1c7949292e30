"""Slots: the moments at which single messages may leave.

Slots stand evenly apart, so that no second, no minute and no hour, wherever one begins to count, holds more than the
limit; what was not used is not saved up.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

# So far ahead slots are taken: enough that connections never wait for the database, little enough to be fair.
AHEAD = timedelta(seconds=1)


class Taken(NamedTuple):
    """Slots, and when the first after them begins."""

    slots: list[datetime]
    next_at: datetime


def interval(per_second: float | None, per_hour: float | None = None) -> timedelta:
    """The time between two messages; zero when there is no limit."""
    apart = [1 / per_second] if per_second else []
    apart += [3600 / per_hour] if per_hour else []
    return timedelta(seconds=max(apart, default=0))


def take(next_at: datetime, now: datetime, step: timedelta, wanted: int, within: timedelta = AHEAD) -> Taken:
    """Up to `wanted` slots that begin no later than `within` from `now`; `next_at` is when the first may be."""
    if not step:
        return Taken([now] * wanted, now)
    first = max(next_at, now)
    room = int((now + within - first) / step) + 1 if first <= now + within else 0
    taken = max(0, min(wanted, room))
    return Taken([first + number * step for number in range(taken)], first + taken * step)
