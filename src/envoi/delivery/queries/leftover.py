"""The rows that dead workers left behind, and doubt that evidence may end.

Guarantee: whoever concludes about a worker takes its leases from it first, in the same transaction, so that it can
write no more; a range of which rows were surely not offered can be leased again at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from envoi.core import clock
from envoi.delivery.composers import Leased
from envoi.delivery.models import Delivery, Lease, Mailing
from envoi.delivery.queries.leases import DOUBT, Held
from envoi.delivery.queries.ranges import rows_of
from envoi.delivery.queries.tallies import add_to_tally

State = Delivery.State

AT_ONCE = 1000


def reclaim(detail: str) -> int:
    """Take one lease that ran out from its worker: what may have been offered is unknown, with `detail`.

    Gives how many leases there were, 0 or 1.
    """
    now = clock.now()
    with transaction.atomic():
        lease = (
            Lease.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("mailing")
            .exclude(worker="")
            .filter(until__lte=now)
            .order_by("until")
            .first()
        )
        if lease is None:
            return 0
        number = _window(lease).update(
            state=State.UNKNOWN,
            detail=detail,
            attempts=F("attempts") + 1,
            first_attempt_at=Coalesce(F("first_attempt_at"), lease.started_at),
            transport=lease.transport_id,
            retry_at=now + DOUBT,
            state_at=now,
            # Its journal may turn up and end the doubt.
            doubt_worker=lease.worker,
            doubt_lease=lease.pk,
        )
        add_to_tally(lease.mailing, Counter({(str(State.UNKNOWN), ""): number}))
        _free(lease, max(lease.first_id, lease.offered_to + 1))
    return 1


def take_from(mailing: Mailing, worker: str) -> list[Held]:
    """Take all leases from a worker of this machine that has died; `rows` are those it may have offered."""
    found = []
    leases = Lease.objects.select_for_update(of=("self",)).select_related("mailing")
    for lease in leases.filter(mailing=mailing, worker=worker).order_by("first_id"):
        rows = [leased(row, lease.pk, lease) for row in _window(lease).order_by("pk")]
        found.append(Held(lease.pk, mailing, worker, lease.transport_id, lease.started_at, rows))
        # All of it: its journal says of the window, too, what was not offered.
        _free(lease, lease.first_id)
    return found


def drop_if_empty(held: Held) -> None:
    """Forget a range that was taken from a worker when none of its rows waits any more."""
    lease = Lease.objects.select_related("mailing").filter(pk=held.id, worker="").first()
    if lease is not None:
        rows = rows_of(lease.mailing, lease.first_id, lease.last_id).filter(state=State.PENDING)
        if not rows.exists():
            lease.delete()


def _window(lease: Lease) -> QuerySet[Delivery]:
    return rows_of(lease.mailing, lease.first_id, lease.offered_to).filter(state=State.PENDING)


def _free(lease: Lease, waits_from: int) -> None:
    if waits_from > lease.last_id:
        lease.delete()
    else:
        Lease.objects.filter(pk=lease.pk).update(worker="", first_id=waits_from, offered_to=waits_from - 1)


def leased(row: Delivery, epoch: int, lease: Lease | None = None) -> Leased:
    """A row as its worker had it."""
    begun = row.first_attempt_at or (lease.started_at if lease else clock.now())
    return Leased(row.pk, row.key, row.address, row.address_key, row.contact_id, row.attempts, begun, epoch)


def doubted(mailing: Mailing, worker: str) -> list[Leased]:
    """Rows that became unknown because this worker's lease ran out, and about which nobody has decided since."""
    rows = Delivery.objects.select_for_update(of=("self",)).filter(
        mailing=mailing, attention=State.UNKNOWN, doubt_worker=worker
    )
    return [leased(row, row.doubt_lease or 0)._replace(attempts=row.attempts - 1) for row in rows.order_by("pk")]


def doubt_again(mailing: Mailing, ids: Collection[int]) -> None:
    """Back from unknown to what they were, in the transaction that settles them."""
    number = Delivery.objects.filter(pk__in=ids, state=State.UNKNOWN).update(
        state=State.PENDING, attempts=F("attempts") - 1, detail="", retry_at=None, doubt_worker="", doubt_lease=None
    )
    add_to_tally(mailing, Counter({(str(State.UNKNOWN), ""): -number}))


def forgotten(mailing: Mailing, known: Mapping[int, int], since: datetime) -> list[Leased]:
    """Rows that wait although a journal begun at `since` knows of them, and that nobody has changed since.

    `known` says under which lease it knows each row.
    """
    found: list[Leased] = []
    ids = iter(known)
    while chunk := list(islice(ids, AT_ONCE)):
        rows = Delivery.objects.select_for_update(of=("self",)).filter(
            pk__in=chunk, mailing=mailing, state__in=Delivery.OPEN, state_at__lte=since
        )
        found += [leased(row, known[row.pk]) for row in rows.order_by("pk")]
    return found


def undefer(mailing: Mailing, ids: Collection[int]) -> None:
    """Of these rows the deferred ones are pending, in the transaction that settles them."""
    number = Delivery.objects.filter(pk__in=ids, state=State.DEFERRED).update(state=State.PENDING)
    add_to_tally(mailing, Counter({(str(State.DEFERRED), ""): -number}))
