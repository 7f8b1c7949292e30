# ruff: noqa: S608 - put together from names of tables of this code; every value is a parameter
"""What came of a batch, written to the ledger by one statement.

Guarantee: only rows that still are the worker's, under the lease it means, are changed, and counted; what a worker says
about a row that was taken from it meanwhile is lost on purpose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from envoi.core import clock
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.queries.tallies import COUNTED, add_to_tally

State = Delivery.State


@dataclass(frozen=True, slots=True)
class Result:
    """What one row becomes.

    Attributes:
        detail: why, for a person.
        retry_at: for deferred rows.
        code, status, text: the server's answer, its enhanced status and its words.
        epoch: the number of the lease under which it was sent; 0 when the caller holds the row in another way.
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


_DELIVERY = Delivery._meta.db_table
_ROW = {
    "sqlite": "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
    "postgresql": (
        "(%s::bigint, %s::text, %s::text, %s::text, %s::timestamptz, %s::smallint, %s::text, %s::text, %s::smallint, "
        "%s::int)"
    ),
}
_TAKEN_BACK = f"CASE WHEN results.untried = 1 AND {_DELIVERY}.state = '{State.IN_DOUBT}' THEN 1 ELSE 0 END"
_SETTLE = f"""
WITH results (id, state, skip_reason, detail, retry_at, code, status, words, untried, epoch) AS (VALUES {{rows}})
UPDATE {_DELIVERY}
   SET state = results.state, skip_reason = results.skip_reason, detail = results.detail, retry_at = results.retry_at,
       reply_code = results.code, reply_status = results.status, reply_text = results.words,
       attempts = {_DELIVERY}.attempts - {_TAKEN_BACK},
       first_attempt_at = CASE WHEN results.untried = 1 AND {_DELIVERY}.attempts = {_TAKEN_BACK} THEN NULL
                               ELSE {_DELIVERY}.first_attempt_at END,
       state_at = %s, lease_worker = '', lease_until = NULL
  FROM results
 WHERE {_DELIVERY}.id = results.id AND {_DELIVERY}.id IN ({{ids}}) AND {_DELIVERY}.lease_worker = %s
   AND {_DELIVERY}.state IN ('{State.LEASED}', '{State.IN_DOUBT}')
   AND (results.epoch = 0 OR results.epoch = {_DELIVERY}.lease_epoch)
RETURNING {_DELIVERY}.id
"""


def settle(mailing: Mailing, worker: str, results: Sequence[Result]) -> set[int]:
    """Write `results` of rows leased to `worker`, all of `mailing`; the ids of those that were changed."""
    if not results:
        return set()
    adapt = connection.ops.adapt_datetimefield_value
    values: list[Any] = []
    for result in results:
        values += (
            result.id,
            result.state,
            result.skip_reason,
            result.detail[:500],
            adapt(result.retry_at) if result.retry_at else None,
            result.code,
            result.status[:12],
            result.text[:1000],
            0 if result.attempted else 1,
            result.epoch,
        )
    with connection.cursor() as cursor:
        cursor.execute(
            _SETTLE.format(
                rows=", ".join([_ROW[connection.vendor]] * len(results)),
                # Said twice: of a join with VALUES PostgreSQL makes no index condition and reads the whole ledger.
                ids=", ".join(["%s"] * len(results)),
            ),
            [*values, adapt(clock.now()), *(result.id for result in results), worker],
        )
        changed = {row[0] for row in cursor.fetchall()}
    add_to_tally(
        mailing,
        Counter(
            (str(result.state), result.skip_reason)
            for result in results
            if result.id in changed and result.state in COUNTED
        ),
    )
    return changed
