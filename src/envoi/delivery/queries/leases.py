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
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from envoi.contacts.models import Suppression
from envoi.core import arrays, clock
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


_DELIVERY, _LEASE, _SUPPRESSION = (model._meta.db_table for model in (Delivery, Lease, Suppression))
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
        current = locked(mailing)
        if current is None or current.state != Mailing.State.RUNNING:
            return None
        rows = _old(current, size, now) or _new(current, size)
        if not rows:
            return None
        lease = Lease.objects.create(
            mailing=mailing,
            transport=transport or mailing.identity.transport,
            worker=worker,
            first_id=rows[0][0],
            last_id=rows[-1][0],
            offered_to=rows[0][0] - 1,
            started_at=now,
            until=now + LEASE,
        )
    held = _held(lease, mailing, rows)
    held.beyond = max(0, current.last_id - max(current.leased_to, lease.last_id))
    return held


def _old(mailing: Mailing, size: int, now: datetime) -> list[_Row]:
    """What was leased before. Mostly there is nothing of the kind, which one statement says."""
    with connection.cursor() as cursor:
        moment = connection.ops.adapt_datetimefield_value(now)
        cursor.execute(_ANY_OLD, [mailing.pk, mailing.pk, mailing.pk, moment])
        given_back, came_back, due = cursor.fetchone()
    if due:
        came_back = promote(mailing, size) or came_back
    return (_given_back(mailing, size) if given_back else []) or (_that_came_back(mailing, size) if came_back else [])


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


def _that_came_back(mailing: Mailing, size: int) -> list[_Row]:
    """Up to the next lease, since ranges must not overlap."""
    rows = _selected(_CAME_BACK, [mailing.pk, mailing.leased_to, size])
    if not rows:
        return []
    after = Lease.objects.filter(mailing=mailing, first_id__gt=rows[0][0]).order_by("first_id")
    end = after.values_list("first_id", flat=True).first()
    return rows if end is None else [row for row in rows if row[0] < end]


def _new(mailing: Mailing, size: int) -> list[_Row]:
    begin = max(mailing.leased_to, mailing.first_id - 1)
    if begin >= mailing.last_id:
        return []
    rows, to = _pending(mailing, begin, mailing.last_id, size)
    Mailing.objects.filter(pk=mailing.pk).update(leased_to=to)
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


def _selected(statement: str, values: list[Any]) -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[_Row] = cursor.fetchall()
        return rows


def _held(lease: Lease, mailing: Mailing, rows: list[_Row]) -> Held:
    honoured = _honoured(mailing.purpose)
    begun, number = lease.started_at, lease.pk
    return Held(
        id=number,
        mailing=mailing,
        worker=lease.worker,
        transport_id=lease.transport_id,
        started_at=begun,
        rows=[
            Leased(pk, key, address, compared, contact, attempts, _moment(first) if first else begun, number)
            for pk, key, address, compared, contact, attempts, first, _reason in rows
        ],
        hindered={row[0]: _skip(row[7]) for row in rows if row[7] is not None and row[7] in honoured},
    )


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
