"""Version stamps of what people see: as long as a stamp stays, so does the answer, and no database is asked.

What the notices say and how many are shown is the same for everybody: it is kept with the state, and asked for once.

Each process keeps the state of the stamps in memory and reads it anew at most every `FRESH_FOR` seconds, with a few
statements whatever the number of readers. So a change reaches every process within that time, and the one that made
it at once. Moments at which a notice begins or ends are part of the stamp without anybody touching a row.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from django.db.models import Count, Max, Min, Sum

from envoi.core import clock
from envoi.instance import queries as settings
from envoi.instance import schema
from envoi.notices.models import Change, Notice
from envoi.notices.queries.standing import not_over

FRESH_FOR = 0.5
# Changes of single people are read again for so long, since a row may be committed after one with a greater number.
COMMITTED_WITHIN = timedelta(minutes=2)


@dataclass(slots=True)
class _State:
    """What this process knows.

    Attributes:
        everybody: of the rows that concern everybody: number, last, first and sum of their ids. All four, because ids
            are given out before they are committed.
        moments: when notices begin and end, ascending, from the last one that has passed.
        limits: of new notices a day and of notices on a dashboard; 0 for none.
        notices: those that were asked for since, by their number: what they say is part of the stamp.
        people: by contact, the last change that concerns them alone.
    """

    everybody: tuple[int, int, int, int]
    moments: list[float]
    limits: tuple[int, int]
    notices: dict[int, Notice] = field(default_factory=dict)
    people: dict[int, int] = field(default_factory=dict)
    read_at: datetime | None = None
    due: float = 0.0


_state: _State | None = None
_lock = Lock()


def stamp() -> str:
    """The stamp of everybody's view."""
    return _of_everybody(_current())


def stamp_of(contact_id: int) -> str:
    """The stamp of one person's view; letters, digits and dashes."""
    state = _current()
    return f"{_of_everybody(state)}-{state.people.get(contact_id, 0):x}"


def limits() -> tuple[int, int]:
    """How many new notices a day, and how many notices on a dashboard, there are at most; 0 for no limit."""
    return _current().limits


def notices_of(ids: Sequence[int]) -> list[Notice]:
    """The notices of these numbers, in their order; one statement for those that nobody asked for before."""
    known = _current().notices
    missing = [pk for pk in ids if pk not in known]
    if missing:
        known.update(Notice.objects.in_bulk(missing))
    return [known[pk] for pk in ids if pk in known]


def forget() -> None:
    """Read the state anew at the next question."""
    global _state
    _state = None


def _of_everybody(state: _State) -> str:
    now = clock.now().timestamp()
    place = bisect_right(state.moments, now)
    moment = int(state.moments[place - 1] * 1000) if place else 0
    # With a cap by the day, what was held back comes by itself: looked at anew each quarter of an hour.
    turn = int(now // 900) if state.limits[0] else 0
    return "-".join(f"{number:x}" for number in (*state.everybody, moment, turn))


def _current() -> _State:
    global _state
    known = _state
    if known is not None and time.monotonic() < known.due:
        return known
    with _lock:
        known = _state
        if known is None or time.monotonic() >= known.due:
            known = _state = _read(known)
    return known


def _read(before: _State | None) -> _State:
    now = clock.now()
    found = Change.objects.filter(contact=None).aggregate(n=Count("id"), last=Max("id"), first=Min("id"), sum=Sum("id"))
    # PostgreSQL sums into a decimal.
    everybody = (found["n"], found["last"] or 0, found["first"] or 0, int(found["sum"] or 0))
    same = before is not None and before.everybody == everybody
    if before is not None and same:
        state = _State(everybody, before.moments, before.limits, before.notices, dict(before.people), before.read_at)
    else:
        state = _State(everybody, _moments(now), _limits())
    changes = Change.objects.filter(contact__isnull=False)
    if state.read_at is not None:
        changes = changes.filter(at__gt=state.read_at - COMMITTED_WITHIN)
    for contact, last in changes.order_by("id").values_list("contact_id", "id"):
        if contact is not None and last > state.people.get(contact, 0):
            state.people[contact] = last
    state.read_at, state.due = now, time.monotonic() + FRESH_FOR
    return state


def _limits() -> tuple[int, int]:
    found = settings.get_all()
    per_day, per_dashboard = schema.NEW_NOTICES_PER_DAY, schema.NOTICES_PER_DASHBOARD
    return int(str(found[per_day.name])), int(str(found[per_dashboard.name]))


def _moments(now: datetime) -> list[float]:
    """Beginnings and ends of the notices that are not over, and the last end before: the same in every process."""
    last_end = Notice.objects.filter(withdrawn_at=None, ends_at__lte=now).aggregate(last=Max("ends_at"))["last"]
    found: set[float] = {last_end.timestamp()} if last_end else set()
    for begins, ends in not_over(now).values_list("starts_at", "ends_at"):
        found.add(begins.timestamp())
        if ends is not None:
            found.add(ends.timestamp())
    return sorted(found)
