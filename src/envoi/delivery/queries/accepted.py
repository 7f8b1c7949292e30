# ruff: noqa: S608 - put together from names of tables of this code; every value is a parameter
"""A batch of which every message was accepted, which is nearly every batch, in one statement.

On PostgreSQL what `results.settle` does in a transaction of four (the lease moves on or ends, the rows, the tally) is
one statement here, sent alone: half of what a batch costs is round trips and beginning and ending. The rows depend on
the lease's row that the same statement locks, so the fence is the same. On SQLite, where a statement costs little, only
the rows become one, when the answers do not differ.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from envoi.core import arrays
from envoi.core.prepared import preparing_cursor
from envoi.delivery.models import Delivery, Lease, Tally
from envoi.delivery.queries.leases import Held

_DELIVERY, _LEASE, _TALLY = (model._meta.db_table for model in (Delivery, Lease, Tally))
SENT, PENDING = str(Delivery.State.SENT), str(Delivery.State.PENDING)

_SET = f"""
   SET state = '{SENT}', skip_reason = '', state_at = %s,
       transport_id = COALESCE(%s, {_DELIVERY}.transport_id), attempts = attempts + 1,
       first_attempt_at = COALESCE({_DELIVERY}.first_attempt_at, %s), detail = '', retry_at = NULL, reply_code = %s,
       reply_status = %s, reply_text = """
_GOES_ON = f"""
    UPDATE {_LEASE} SET offered_to = CASE WHEN until > %s AND offered_to < %s THEN %s ELSE offered_to END
     WHERE id = %s AND worker = %s RETURNING offered_to
"""
_ENDS = f"""
    DELETE FROM {_LEASE} WHERE id = %s AND worker = %s RETURNING offered_to
"""
_AT_ONCE = f"""
WITH lease AS ({{lease}}), written AS (
    UPDATE {_DELIVERY} {_SET} r.words
      FROM unnest(%s::bigint[], %s::text[]) AS r (id, words)
     WHERE {_DELIVERY}.id = r.id AND {_DELIVERY}.id = ANY (%s::bigint[]) AND {_DELIVERY}.state = '{PENDING}'
       AND EXISTS (SELECT 1 FROM lease)
    RETURNING 1
), counted AS (
    INSERT INTO {_TALLY} (mailing_id, minute, state, skip_reason, count)
    SELECT %s, %s, '{SENT}', '', COUNT(*) FROM written HAVING COUNT(*) > 0
        ON CONFLICT (mailing_id, minute, state, skip_reason) DO UPDATE SET count = {_TALLY}.count + excluded.count
)
SELECT lease.offered_to, (SELECT COUNT(*) FROM written) FROM lease
"""
_MOVE, _END = (_AT_ONCE.format(lease=lease) for lease in (_GOES_ON, _ENDS))
_ALIKE = f"""
UPDATE {_DELIVERY} {_SET} %s
 WHERE id IN (SELECT value FROM json_each(%s)) AND state = '{PENDING}'
"""


def settle(
    held: Held,
    ids: Sequence[int],
    answer: tuple[int | None, str],
    words: Sequence[str],
    *,
    offered_to: int,
    end: bool,
    now: datetime,
    minute: datetime,
) -> tuple[int, int] | None:
    """On PostgreSQL: write these rows as accepted with `answer` (code, status) and `words`, and open the window.

    With `end` the lease is over instead. Gives how far messages may be offered (of an ended lease: could have been) and
    how many rows were changed; None when the lease is somebody else's.
    """
    given = arrays.of_numbers(ids)
    lease: list[Any] = [] if end else [now, offered_to, offered_to]
    values = [*lease, held.id, held.worker]
    values += [now, held.transport_id, held.started_at, *answer, given, arrays.of_texts(words), given]
    with preparing_cursor() as cursor:
        cursor.execute(_END if end else _MOVE, [*values, held.mailing.pk, minute])
        found: tuple[int, int] | None = cursor.fetchone()
    return found


def write_alike(held: Held, ids: Sequence[int], answer: tuple[int | None, str], words: str, now: Any) -> int:
    """On SQLite: write these rows as accepted with the same answer; how many were changed."""
    begun = connection.ops.adapt_datetimefield_value(held.started_at)
    with connection.cursor() as cursor:
        cursor.execute(_ALIKE, [now, held.transport_id, begun, *answer, words, json.dumps(ids)])
        return int(cursor.rowcount)
