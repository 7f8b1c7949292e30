# ruff: noqa: S608 - put together from names of tables of this code; every value is a parameter
"""Who may send which rows just now: ranges of a mailing's rows, each held by one worker.

Guarantees: a row is held by one worker at a time, since leases of a mailing never overlap and are made under the lock
of its row; a pending row is new (beyond `Mailing.leased_to`), in a lease, in a range that was given back (a lease
without a worker), or came back (`attention`), so that each is found without reading those that are done.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from envoi.contacts.models import Suppression
from envoi.core import arrays, clock
from envoi.core.prepared import preparing_cursor
from envoi.core.writing_turns import writing_turn
from envoi.delivery.composers import Leased
from envoi.delivery.models import Delivery, Lease, Mailing, Purpose, Transport
from envoi.delivery.queries.tallies import add_to_tally

State = Delivery.State
Skip = Delivery.SkipReason

# Renewed while a worker lives, also during the ten minutes that a server may take to answer the final dot.
LEASE = timedelta(seconds=settings.ENVOI_LEASE_SECONDS)
# So long an unknown outcome waits for evidence before the rule closes it.
DOUBT = timedelta(hours=72)


@dataclass(slots=True)
class Held:
    """A lease as its worker holds it.

    Attributes:
        id: the number that journal and writes name.
        rows: to be sent, in the order of their ids.
        hindered: of `rows` those that must not be written to, by id.
        beyond: about how many rows of the mailing nobody has leased yet.
    """

    id: int
    mailing: Mailing
    worker: str
    transport_id: int | None
    started_at: datetime
    rows: list[Leased] = field(default_factory=list)
    hindered: dict[int, Delivery.SkipReason] = field(default_factory=dict)
    beyond: int = 0


class _Extent(NamedTuple):
    """The range of a mailing's rows, as it stands under the lock; `leased_to` before this lease."""

    first_id: int
    last_id: int
    leased_to: int


_DELIVERY, _LEASE, _MAILING, _SUPPRESSION = (model._meta.db_table for model in (Delivery, Lease, Mailing, Suppression))
_RUNNING = f"SELECT first_id, last_id, leased_to FROM {_MAILING} WHERE id = %s AND state = %s"
# SQLite's transactions lock by themselves.
_LOCK = {"sqlite": _RUNNING, "postgresql": f"{_RUNNING} FOR NO KEY UPDATE"}
_MAKE = f"""
INSERT INTO {_LEASE} (mailing_id, transport_id, worker, first_id, last_id, offered_to, started_at, until)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
"""
_COLUMNS = f"""
SELECT d.id, d.key, d.address, d.address_key, d.contact_id, d.attempts, d.first_attempt_at, s.reason
  FROM {_DELIVERY} d LEFT JOIN {_SUPPRESSION} s ON s.address_key = d.address_key
"""
_IN_RANGE = f"""
{_COLUMNS}
 WHERE d.mailing_id + 0 = %s AND d.id > %s AND d.id <= %s AND d.state = '{State.PENDING}'
 ORDER BY d.id LIMIT %s
"""
_CAME_BACK = f"""
{_COLUMNS}
 WHERE d.mailing_id = %s AND d.attention = '{State.PENDING}' AND d.id <= %s
   AND NOT EXISTS (SELECT 1 FROM {_LEASE} l
                    WHERE l.mailing_id = d.mailing_id AND d.id BETWEEN l.first_id AND l.last_id)
 ORDER BY d.id LIMIT %s
"""
# Broader than what is found in the end: of these rows some may be in a lease.
_ANY_OLD = f"""
SELECT EXISTS (SELECT 1 FROM {_LEASE} WHERE mailing_id = %s AND worker = ''),
       EXISTS (SELECT 1 FROM {_DELIVERY} WHERE mailing_id = %s AND attention = '{State.PENDING}'),
       EXISTS (SELECT 1 FROM {_DELIVERY}
                WHERE mailing_id = %s AND attention = '{State.DEFERRED}' AND retry_at <= %s)
"""
# The state is said twice: of a row that somebody settled while this waited for it, PostgreSQL looks again only at what
# stands outside of the inner query.
_PROMOTE = f"""
UPDATE {_DELIVERY} SET state = '{State.PENDING}'
 WHERE state = '{State.DEFERRED}'
   AND id IN (SELECT d.id FROM {_DELIVERY} d
               WHERE d.mailing_id = %s AND d.attention = '{State.DEFERRED}' AND d.retry_at <= %s
                 AND NOT EXISTS (SELECT 1 FROM {_LEASE} l
                                  WHERE l.mailing_id = d.mailing_id AND l.worker <> ''
                                    AND d.id BETWEEN l.first_id AND l.last_id)
               ORDER BY d.retry_at LIMIT %s)
"""
# In one parameter: asked every second for all that wait, and a query of Django's with as many took 5 ms.
_OF_THESE = f"SELECT address_key, reason FROM {_SUPPRESSION} WHERE address_key"
_Row = tuple[Any, ...]


def claim(mailing: Mailing, worker: str, size: int, transport: Transport | None = None) -> Held | None:
    """Lease up to `size` due rows of a running mailing to `worker`; None when there are none.

    In this order: what somebody gave back, what was deferred or came back otherwise, what is new.
    """
    now = clock.now()
    with writing_turn(), transaction.atomic():
        found = _answer(_LOCK[connection.vendor], [mailing.pk, str(Mailing.State.RUNNING)])
        if found is None:
            return None
        extent = _Extent(*found)
        rows = _old(mailing, extent, size, now) or _new(mailing, extent, size)
        if not rows:
            return None
        held = Held(0, mailing, worker, (transport or mailing.identity.transport).pk, now)
        held.id = _answer(_MAKE, _made(held, rows))[0]
    held.beyond = max(0, extent.last_id - max(extent.leased_to, rows[-1][0]))
    return _filled(held, rows)


def _made(held: Held, rows: list[_Row]) -> list[Any]:
    adapt, first, last = connection.ops.adapt_datetimefield_value, rows[0][0], rows[-1][0]
    times = adapt(held.started_at), adapt(held.started_at + LEASE)
    return [held.mailing.pk, held.transport_id, held.worker, first, last, first - 1, *times]


def _old(mailing: Mailing, extent: _Extent, size: int, now: datetime) -> list[_Row]:
    """What was leased before. Mostly there is nothing of the kind, which one statement says."""
    moment = connection.ops.adapt_datetimefield_value(now)
    given_back, came_back, due = _answer(_ANY_OLD, [mailing.pk, mailing.pk, mailing.pk, moment])
    if due:
        came_back = promote(mailing, size) or came_back
    rows = _given_back(mailing, size) if given_back else []
    return rows or (_that_came_back(mailing, extent, size) if came_back else [])


def locked(mailing: Mailing) -> Mailing | None:
    """The mailing as it is now; until the transaction ends nobody else leases its rows or takes them back."""
    return Mailing.objects.select_for_update(no_key=True).filter(pk=mailing.pk).first()


def promote(mailing: Mailing, most: int) -> int:
    """Let up to `most` deferred rows whose time has come wait again; how many. The mailing must be locked.

    Not those in the range of a live lease: its worker would hold them without knowing it.
    """
    now = connection.ops.adapt_datetimefield_value(clock.now())
    with connection.cursor() as cursor:
        cursor.execute(_PROMOTE, [mailing.pk, now, most])
        number = int(cursor.rowcount)
    add_to_tally(mailing, Counter({(str(State.DEFERRED), ""): -number}))
    return number


def wait_again(mailing: Mailing, state: Delivery.State, ids: Collection[int] | None = None, **fields: Any) -> int:
    """Let rows in this settled state (only `ids`, if given) wait for their turn, with `fields` changed; how many.

    The mailing must be locked.
    """
    now = clock.now()
    rows = Delivery.objects.filter(mailing=mailing, attention=state)
    if ids is not None:
        rows = rows.filter(pk__in=ids)
    number = rows.update(state=State.DEFERRED, retry_at=now, state_at=now, doubt_worker="", doubt_lease=None, **fields)
    counts = Counter({(str(state), ""): -number})
    counts[str(State.DEFERRED), ""] += number
    add_to_tally(mailing, counts)
    promote(mailing, number)
    return number


def _given_back(mailing: Mailing, size: int) -> list[_Row]:
    for free in Lease.objects.filter(mailing=mailing, worker="").order_by("first_id"):
        rows, to = _pending(mailing, free.first_id - 1, free.last_id, size)
        if to < free.last_id:
            Lease.objects.filter(pk=free.pk).update(first_id=to + 1, offered_to=to)
        else:
            free.delete()
        if rows:
            return rows
    return []


def _that_came_back(mailing: Mailing, extent: _Extent, size: int) -> list[_Row]:
    """Up to the next lease, since ranges must not overlap."""
    rows = _selected(_CAME_BACK, [mailing.pk, extent.leased_to, size])
    if not rows:
        return []
    after = Lease.objects.filter(mailing=mailing, first_id__gt=rows[0][0]).order_by("first_id")
    end = after.values_list("first_id", flat=True).first()
    return rows if end is None else [row for row in rows if row[0] < end]


def _new(mailing: Mailing, extent: _Extent, size: int) -> list[_Row]:
    begin = max(extent.leased_to, extent.first_id - 1)
    if begin >= extent.last_id:
        return []
    rows, to = _pending(mailing, begin, extent.last_id, size)
    with preparing_cursor() as cursor:
        cursor.execute(f"UPDATE {_MAILING} SET leased_to = %s WHERE id = %s", [to, mailing.pk])
    return rows


def _pending(mailing: Mailing, after: int, to: int, size: int) -> tuple[list[_Row], int]:
    """Up to `size` pending rows with ids beyond `after`, and how far was looked; [] when there are none up to `to`.

    In spans that grow: told of all that is left, PostgreSQL may think it cheaper to read and sort all of it.
    """
    span = size
    while after < to:
        end = min(after + span, to)
        rows = _selected(_IN_RANGE, [mailing.pk, after, end, size])
        if rows:
            return rows, rows[-1][0] if len(rows) == size else end
        after, span = end, span * 4
    return [], to


def _answer(statement: str, values: list[Any]) -> Any:
    """The one row of a statement, or None. Each lease asks the same: put together by Django it cost 2 µs a message."""
    with preparing_cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()


def _selected(statement: str, values: list[Any]) -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[_Row] = cursor.fetchall()
        return rows


def _filled(held: Held, rows: list[_Row]) -> Held:
    """With `rows`, and which of them are hindered."""
    honoured, begun, number = _honoured(held.mailing.purpose), held.started_at, held.id
    held.rows = [
        Leased(pk, key, address, compared, contact, attempts, _moment(first) if first else begun, number)
        for pk, key, address, compared, contact, attempts, first, _reason in rows
    ]
    held.hindered = {row[0]: _skip(row[7]) for row in rows if row[7] is not None and row[7] in honoured}
    return held


def _moment(value: datetime) -> datetime:
    """SQLite keeps times without a zone, in UTC."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def hindered(purpose: str, keys: Collection[str]) -> dict[str, Delivery.SkipReason]:
    """Which of these addresses must not be written to at this moment, and why."""
    honoured = _honoured(purpose)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"{_OF_THESE} = ANY(%s::text[])", [arrays.of_texts(keys)])
        else:
            cursor.execute(f"{_OF_THESE} IN (SELECT value FROM json_each(%s))", [json.dumps(list(keys))])
        return {key: _skip(reason) for key, reason in cursor.fetchall() if reason in honoured}


def _honoured(purpose: str) -> frozenset[str]:
    """Transactional mail goes to those who unsubscribed as well."""
    everything = frozenset(Suppression.Reason.values)
    return everything - {Suppression.Reason.UNSUBSCRIBED} if purpose == Purpose.TRANSACTIONAL else everything


def _skip(reason: str) -> Delivery.SkipReason:
    return Skip.UNSUBSCRIBED if reason == Suppression.Reason.UNSUBSCRIBED else Skip.SUPPRESSED


def renew(worker: str) -> set[int]:
    """Prolong the leases of a worker that is alive; the numbers of those it has. What has run out stays lost."""
    now = clock.now()
    mine = Lease.objects.filter(worker=worker, until__gt=now)
    mine.update(until=now + LEASE)
    return set(mine.values_list("pk", flat=True))


def release(held: Held, waits_from: int | None) -> bool:
    """Give back a lease of which the pending rows from the id `waits_from` on were surely not offered; None: no row is.

    False when it had been taken from the worker.
    """
    mine = Lease.objects.filter(pk=held.id, worker=held.worker)
    if waits_from is None:
        return bool(mine.delete()[0])
    return bool(mine.update(worker="", first_id=waits_from, offered_to=waits_from - 1))
