# ruff: noqa: S608 - put together from names of tables of this code; every value is a parameter
"""Counts per mailing, minute and state, kept beside the ledger so that progress never counts millions of rows.

Guarantee: a tally is written in the transaction of the change it counts. `recount` puts it right from the ledger.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Count, Sum

from envoi.core import clock
from envoi.delivery.models import Delivery, Mailing, Tally
from envoi.delivery.queries.ranges import rows_of

Counts = Counter[tuple[str, str]]

COUNTED = (*Delivery.TERMINAL, Delivery.State.DEFERRED)

_TALLY = Tally._meta.db_table
_ADD = f"""
INSERT INTO {_TALLY} (mailing_id, minute, state, skip_reason, count) VALUES {{rows}}
    ON CONFLICT (mailing_id, minute, state, skip_reason) DO UPDATE SET count = {_TALLY}.count + excluded.count
"""


def add_to_tally(mailing: Mailing, counts: Counts, moment: datetime | None = None) -> None:
    """Count that so many rows came to (state, skip reason), or left it again where the number is negative.

    Args:
        moment: count it as if it had been then, instead of now.
    """
    changes = sorted((key, number) for key, number in counts.items() if number)
    if not changes:
        return
    stamp = connection.ops.adapt_datetimefield_value(tally_minute(mailing, moment))
    # Sorted, so that two workers never wait for each other's rows in a circle.
    values = [value for (state, reason), number in changes for value in (mailing.pk, stamp, state, reason, number)]
    with connection.cursor() as cursor:
        cursor.execute(_ADD.format(rows=", ".join(["(%s, %s, %s, %s, %s)"] * len(changes))), values)


def hold_tallies(mailing: Mailing) -> None:
    """Take the tallies of this minute in their order, for a transaction that counts more than once.

    Else it could hold one and wait for another that a worker holds who waits for the first. Call it when all rows that
    the transaction changes are locked: everybody else takes rows before tallies.
    """
    stamp = connection.ops.adapt_datetimefield_value(tally_minute(mailing))
    values = [value for state in sorted(map(str, COUNTED)) for value in (mailing.pk, stamp, state, "", 0)]
    with connection.cursor() as cursor:
        cursor.execute(_ADD.format(rows=", ".join(["(%s, %s, %s, %s, %s)"] * len(COUNTED))), values)


def tally_minute(mailing: Mailing, moment: datetime | None = None) -> datetime:
    """Under which minute is counted now, or was at `moment`.

    It begins anew when the mailing is resumed, so that the error budget looks only at what came after.
    """
    minute = (moment or clock.now()).replace(second=0, microsecond=0)
    if moment is not None and moment < mailing.state_changed_at:
        return minute
    return max(minute, mailing.state_changed_at)


def skipped(mailing: Mailing) -> dict[Delivery.SkipReason, int]:
    """How many are skipped, by reason."""
    rows = mailing.tallies.filter(state=Delivery.State.SKIPPED).values_list("skip_reason").annotate(Sum("count"))
    counts = dict(rows.order_by())
    return {reason: counts[reason] for reason in Delivery.SkipReason if counts.get(reason)}


def count_skipped(mailing: Mailing) -> None:
    """Begin the tally of a mailing of which nothing moved yet, so that only skipped rows count: an index finds them."""
    rows = mailing.deliveries.filter(attention=Delivery.State.SKIPPED).values_list("skip_reason")
    counted = rows.annotate(number=Count("id")).order_by()
    add_to_tally(mailing, Counter({(str(Delivery.State.SKIPPED), reason): number for reason, number in counted}))


def recount(mailing: Mailing) -> int:
    """Replace the tally by what the ledger says, when nothing of the mailing moves any more or has moved yet.

    What differs is added to the present minute, so that the course over time stays. Reads every row of the mailing;
    gives how many of them are pending.
    """
    with transaction.atomic():
        # One statement: evidence that ends a doubt between two of them would be counted in one and not in the other.
        kinds = ("state", "skip_reason")
        real = rows_of(mailing).values_list(*kinds).annotate(number=Count("id")).order_by()
        counted = mailing.tallies.values_list(*kinds).annotate(number=-Sum("count")).order_by()
        differing: Counts = Counter()
        for state, reason, number in real.union(counted, all=True):
            differing[state, reason] += int(number)
        pending = sum(differing.pop(key) for key in list(differing) if key[0] not in COUNTED)
        add_to_tally(mailing, differing)
    return pending
