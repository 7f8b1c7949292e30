# ruff: noqa: S608 - put together from names of tables and constants of this code; every value is a parameter
"""What one person sees, in at most two statements; and what they saw before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from envoi.notices.models import Level, Notice, Reading
from envoi.notices.queries import stamps
from envoi.notices.queries.sql import IS_FOR, NOTICE, PERSON, READING, STANDS, URGENCY

CAP_OVER = timedelta(hours=24)
# Far more than anybody reads: a bound for the answer, not for the author.
MOST = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """One notice as one person sees it.

    Attributes:
        key: names it to the outside.
        body: harmless HTML.
        link_url: where the button `link_label` leads; both "" without a button.
        seen: whether the person saw it before.
        dismissed_at, acknowledged_at: set only among past ones.
    """

    id: int
    key: str
    level: str
    subject: str
    body: str
    link_label: str
    link_url: str
    dismissible: bool
    must_acknowledge: bool
    starts_at: datetime
    ends_at: datetime | None
    seen: bool
    dismissed_at: datetime | None = None
    acknowledged_at: datetime | None = None


# Readings are indexed by notice and contact: a step for each contact of the person, of whom there are few.
_OF_PERSON = f"FROM {READING} d WHERE d.notice_id = n.id AND d.contact_id IN (SELECT id FROM person)"
_DONE = f"EXISTS (SELECT 1 {_OF_PERSON} AND (d.dismissed_at IS NOT NULL OR d.acknowledged_at IS NOT NULL))"

_SHOWN = f"""
WITH {PERSON}
SELECT n.id, EXISTS (SELECT 1 {_OF_PERSON}) AS seen,
       (SELECT COUNT(DISTINCT d.notice_id) FROM {READING} d
         WHERE d.contact_id IN (SELECT id FROM person) AND d.first_seen_at > %(since)s) AS seen_lately
  FROM {NOTICE} n
 WHERE {STANDS} AND NOT {_DONE} AND {IS_FOR}
 ORDER BY {URGENCY}, n.starts_at DESC, n.id DESC LIMIT {MOST}"""

_PAST = f"""
WITH {PERSON}
SELECT n.* FROM {NOTICE} n
 WHERE n.withdrawn_at IS NULL
   AND n.id IN (SELECT d.notice_id FROM {READING} d WHERE d.contact_id IN (SELECT id FROM person))
   AND (n.ends_at <= %(now)s OR {_DONE} OR NOT {IS_FOR})
 ORDER BY n.starts_at DESC, n.id DESC LIMIT %(limit)s"""


def shown_to(contact_id: int, *, now: datetime, limit: int | None = None) -> list[Shown]:
    """What this person sees now: level (error first), then newest. One statement; a few more after a change.

    Args:
        limit: at most so many; None for the limit of this installation, 0 for all (“show all”).
    """
    per_day, per_dashboard = stamps.limits()
    with connection.cursor() as cursor:
        cursor.execute(_SHOWN, _prepared(contact=contact_id, now=now, since=now - CAP_OVER))
        found = {pk: (bool(seen), lately) for pk, seen, lately in cursor.fetchall()}
    rows = [(row, found[row.pk][0]) for row in stamps.notices_of(list(found))]
    if per_day and rows:
        seen_lately: int = next(iter(found.values()))[1]
        rows = _capped(rows, max(0, per_day - seen_lately))
    most = per_dashboard if limit is None else limit
    return [_shown(row, seen) for row, seen in (rows[:most] if most else rows)]


def past(contact_id: int, *, now: datetime, limit: int = 50) -> list[Shown]:
    """What this person saw that is over: dismissed, acknowledged, ended, no longer meant for them. Newest first.

    What was withdrawn is not among them. Two statements.
    """
    rows = list(Notice.objects.raw(_PAST, _prepared(contact=contact_id, now=now, limit=limit)))
    marks: dict[int, tuple[datetime | None, datetime | None]] = {}
    readings = Reading.objects.filter(notice__in=[row.pk for row in rows], contact=contact_id)
    for pk, dismissed, acknowledged in readings.values_list("notice_id", "dismissed_at", "acknowledged_at"):
        marks[pk] = dismissed, acknowledged
    return [_shown(row, True, *marks.get(row.pk, (None, None))) for row in rows]


def _capped(rows: list[tuple[Notice, bool]], room: int) -> list[tuple[Notice, bool]]:
    """Without the new ones for which there is no room today; those seen before, and the urgent, always stay."""
    kept = []
    for row, seen in rows:
        if seen or row.must_acknowledge or row.level == Level.ERROR:
            kept.append((row, seen))
        elif room:
            room -= 1
            kept.append((row, seen))
    return kept


def _prepared(**parameters: Any) -> dict[str, Any]:
    return {
        name: connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
        for name, value in parameters.items()
    }


def _shown(
    row: Notice, seen: bool, dismissed_at: datetime | None = None, acknowledged_at: datetime | None = None
) -> Shown:
    return Shown(
        id=row.pk,
        key=row.key,
        level=row.level,
        subject=row.subject,
        body=row.body,
        link_label=row.link_label,
        link_url=row.link_url,
        dismissible=row.dismissible,
        must_acknowledge=row.must_acknowledge,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        seen=seen,
        dismissed_at=dismissed_at,
        acknowledged_at=acknowledged_at,
    )
