# ruff: noqa: S608 - put together from names of tables of this code; every value is a parameter
"""What came of a batch, written to the ledger in one transaction, and the next window opened in the same.

Guarantee: nothing is written under a lease that is no longer the worker's: its row is locked first, and whoever
concludes about a dead worker takes the lease away before he looks at its rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from envoi.core import arrays, clock
from envoi.core.writing_turns import writing_turn
from envoi.delivery.models import Delivery, Lease
from envoi.delivery.queries import accepted
from envoi.delivery.queries.leases import Held
from envoi.delivery.queries.tallies import COUNTED, add_to_tally, tally_minute

State = Delivery.State


class Result(NamedTuple):
    """What one row becomes. A named tuple: made for every recipient, it must be cheap.

    Attributes:
        state: pending stands for a row that surely was not offered, of which nothing is written.
        detail: why, for a person.
        retry_at: for deferred rows.
        code, status, text: the server's answer, its enhanced status and its words.
        epoch: the number of the lease under which it was sent.
        attempted: False when the row was marked as about to be sent and surely was not tried.
    """

    id: int
    state: Delivery.State
    skip_reason: str = ""
    detail: str = ""
    retry_at: datetime | None = None
    code: int | None = None
    status: str = ""
    text: str = ""
    epoch: int = 0
    attempted: bool = True


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a batch.

    Attributes:
        mine: whether the lease still was the worker's; if not, nothing was written.
        written: how many rows were changed.
        offered_to: up to which row messages may be offered now.
    """

    mine: bool
    written: int = 0
    offered_to: int = 0


_DELIVERY, _LEASE = Delivery._meta.db_table, Lease._meta.db_table
_ADVANCE = f"""
UPDATE {_LEASE} SET offered_to = CASE WHEN until > %s AND offered_to < %s THEN %s ELSE offered_to END
 WHERE id = %s AND worker = %s RETURNING offered_to
"""
_END = f"DELETE FROM {_LEASE} WHERE id = %s AND worker = %s"

_FROM = {
    "each": {"detail": "%s", "retry_at": "%s", "code": "%s", "status": "%s", "words": "%s"},
    "many": {name: f"r.{name}" for name in ("detail", "retry_at", "code", "status", "words")},
}
_WHICH = {
    "each": f"WHERE id = %s AND state = '{State.PENDING}'",
    # Said twice: of the join alone PostgreSQL makes no index condition and reads the whole ledger.
    "many": f"""
  FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::smallint[], %s::text[], %s::text[])
       AS r (id, detail, retry_at, code, status, words)
 WHERE {_DELIVERY}.id = r.id AND {_DELIVERY}.id = ANY (%s::bigint[]) AND {_DELIVERY}.state = '{State.PENDING}'
""",
}
_TRIED = f""", transport_id = COALESCE(%s, {_DELIVERY}.transport_id), attempts = attempts + 1,
       first_attempt_at = COALESCE({_DELIVERY}.first_attempt_at, %s)"""


def _statement(kind: str, attempted: bool) -> str:
    columns = "detail = {detail}, retry_at = {retry_at}, reply_code = {code}, reply_status = {status}, "
    return f"""
UPDATE {_DELIVERY}
   SET state = %s, skip_reason = %s, state_at = %s{_TRIED if attempted else ""},
       {columns.format(**_FROM[kind])} reply_text = {_FROM[kind]["words"]}
{_WHICH[kind]}
"""


_EACH = {attempted: _statement("each", attempted) for attempted in (True, False)}
_MANY = {attempted: _statement("many", attempted) for attempted in (True, False)}


def settle(held: Held, results: Sequence[Result], *, offered_to: int = 0, end: bool = False) -> Settled:
    """Write `results` of rows of this lease.

    Args:
        offered_to: offer rows up to this one from the commit on, unless the lease has run out.
        end: no row of the lease is left.
    """
    if connection.vendor == "postgresql" and (kind := _accepted_alike(results)):
        return _settle_accepted(held, results, kind, offered_to, end=end)
    now = connection.ops.adapt_datetimefield_value(clock.now())
    with writing_turn(), transaction.atomic(savepoint=False), connection.cursor() as cursor:
        if end:
            cursor.execute(_END, [held.id, held.worker])
            if not cursor.rowcount:
                return Settled(mine=False)
            return Settled(mine=True, written=write(held, results), offered_to=offered_to)
        cursor.execute(_ADVANCE, [now, offered_to, offered_to, held.id, held.worker])
        found = cursor.fetchall()
        if not found:
            return Settled(mine=False)
        return Settled(mine=True, written=write(held, results), offered_to=found[0][0])


def _accepted_alike(results: Sequence[Result]) -> tuple[int | None, str] | None:
    """Code and status, when all were accepted with the same ones."""
    if not results:
        return None
    # Column by column: result by result it took three times as long.
    _id, states, _reason, _detail, _retry_at, codes, statuses, *_ = zip(*results, strict=True)
    if states.count(State.SENT) < len(results) or len(set(codes)) > 1 or len(set(statuses)) > 1:
        return None
    return codes[0], statuses[0][:12]


def _settle_accepted(
    held: Held, results: Sequence[Result], kind: tuple[int | None, str], offered_to: int, *, end: bool
) -> Settled:
    done = accepted.settle(
        held,
        [result.id for result in results],
        kind,
        [result.text[:1000] for result in results],
        offered_to=offered_to,
        end=end,
        now=clock.now(),
        minute=tally_minute(held.mailing),
    )
    return Settled(mine=False) if done is None else Settled(mine=True, written=done[1], offered_to=done[0])


def write(held: Held, results: Sequence[Result]) -> int:
    """Write `results` of pending rows and count them; how many were changed. The caller holds the lease's row."""
    groups: defaultdict[tuple[str, str, bool], list[Result]] = defaultdict(list)
    if results and all(result.state is State.SENT for result in results):
        # Nearly every batch, and the members of an enum are dear as parts of a key.
        groups[State.SENT, "", True] = list(results)
        results = ()
    for result in results:
        if result.state != State.PENDING:
            groups[result.state, result.skip_reason, result.attempted].append(result)
    counts: Counter[tuple[str, str]] = Counter()
    for (state, reason, attempted), group in groups.items():
        counts[state, reason] += _write_alike(held, state, reason, attempted, group)
    add_to_tally(held.mailing, Counter({key: number for key, number in counts.items() if key[0] in COUNTED}))
    return counts.total()


# Nearly all of a batch: they differ only in the words of the answer.
_WORDS = f"""
UPDATE {_DELIVERY}
   SET state = %s, skip_reason = %s, state_at = %s{_TRIED}, detail = '', retry_at = NULL, reply_code = %s,
       reply_status = %s, reply_text = r.words
  FROM unnest(%s::bigint[], %s::text[]) AS r (id, words)
 WHERE {_DELIVERY}.id = r.id AND {_DELIVERY}.id = ANY (%s::bigint[]) AND {_DELIVERY}.state = '{State.PENDING}'
"""


def _write_alike(held: Held, state: str, reason: str, attempted: bool, results: Sequence[Result]) -> int:
    adapt, kind = connection.ops.adapt_datetimefield_value, _accepted_alike(results)
    now, begun = adapt(clock.now()), adapt(held.started_at)
    head: list[Any] = [str(state), str(reason), now, *([held.transport_id, begun] if attempted else [])]
    ids, words = [result.id for result in results], [result.text[:1000] for result in results]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and kind:
            given = arrays.of_numbers(ids)
            cursor.execute(_WORDS, [*head, *kind, given, arrays.of_texts(words), given])
        elif connection.vendor == "postgresql":
            cursor.execute(_MANY[attempted], [*head, ids, *map(list, zip(*map(_columns, results), strict=True)), ids])
        elif kind and len(set(words)) == 1:
            return accepted.write_alike(held, ids, kind, words[0], now)
        else:
            cursor.executemany(_EACH[attempted], [(*head, *_columns(result), result.id) for result in results])
        return int(cursor.rowcount)


def _columns(result: Result) -> tuple[Any, ...]:
    """Detail, time of the next try, code, status and words, as the database takes them."""
    retry_at = connection.ops.adapt_datetimefield_value(result.retry_at) if result.retry_at else None
    return result.detail[:500], retry_at, result.code, result.status[:12], result.text[:1000]
