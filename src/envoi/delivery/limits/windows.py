"""The hours and days in which a transport sends, in the installation's time zone.

A window that passes midnight belongs to the day on which it begins. Where a time does not exist because the clock is
put forward, the window begins or ends right after the gap; where a time comes twice, the first one counts. A window is
always one stretch of time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

EVERY_DAY = frozenset(range(1, 8))
MIDNIGHT = time(0, 0)


@dataclass(frozen=True, slots=True)
class Hours:
    """When it sends.

    Attributes:
        start, end: both or neither; an end that is not after the start lies on the next day, so equal ones mean a whole
            day from then on.
        days: ISO 8601, 1 is Monday.
    """

    start: time | None
    end: time | None
    days: frozenset[int]
    zone: tzinfo

    @property
    def always(self) -> bool:
        """Whether there is no limit."""
        return self.start == self.end and self.days >= EVERY_DAY


def opens_at(hours: Hours, now: datetime) -> datetime | None:
    """From when on it sends: `now` while it is open; None when no day is chosen at all."""
    if hours.always:
        return now
    for begin, end in _windows(hours, now):
        if now < end:
            return max(begin, now)
    return None


def closes_at(hours: Hours, now: datetime) -> datetime | None:
    """When it stops sending, given that it is open `now`; None when it never does."""
    if hours.always:
        return None
    closes = None
    for begin, end in _windows(hours, now):
        if begin > (closes or now):
            break
        if end > now:
            closes = max(end, closes or end)
    return closes


def _windows(hours: Hours, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Those that may matter to somebody who asks `now`, in their order."""
    first = now.astimezone(hours.zone).date() - timedelta(days=2)
    for day in (first + timedelta(days=number) for number in range(11)):
        if day.isoweekday() not in hours.days:
            continue
        start, end = hours.start or MIDNIGHT, hours.end or MIDNIGHT
        last = day if end > start else day + timedelta(days=1)
        begin, close = _moment(day, start, hours.zone), _moment(last, end, hours.zone)
        # Both in the same gap of the clock: there is no such time on that day.
        if begin < close:
            yield begin, close


def _moment(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at.replace(fold=0), zone).astimezone(UTC)
