"""Which rows are a mailing's, which of them somebody holds just now, and which mailings have any that are due.

Rows are found by their range of ids, since the state has no index: `+ 0` keeps both databases from walking the index
of addresses instead, which begins with the mailing too and knows no order of ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from envoi.core import clock
from envoi.delivery.models import Delivery, Lease, Mailing

State = Delivery.State


def rows_of(mailing: Mailing, first: int = 0, last: int | None = None) -> QuerySet[Delivery]:
    """All rows of a mailing, to be narrowed down and read in the order of their ids.

    Args:
        first, last: only those with ids from here to there. Not to be said by a filter: of two beginnings SQLite goes
            by the one that it is told first, and reads from there.
    """
    begin, end = max(first, mailing.first_id), mailing.last_id if last is None else min(last, mailing.last_id)
    found = Delivery.objects.alias(of_mailing=F("mailing_id") + 0)
    return found.filter(of_mailing=mailing.pk, pk__gte=begin, pk__lte=end)


def note_range(mailing: Mailing) -> None:
    """Take down in which range the ids of its rows lie; for whoever adds rows otherwise than by the freeze."""
    ids = Delivery.objects.filter(mailing=mailing).order_by("pk").values_list("pk", flat=True)
    mailing.first_id, mailing.last_id = ids.first() or 0, ids.last() or 0
    Mailing.objects.filter(pk=mailing.pk).update(first_id=mailing.first_id, last_id=mailing.last_id)


def held(*, live: bool) -> Exists:
    """Of rows: whether a lease (only one of a worker, if `live`) covers them."""
    found = Lease.objects.filter(mailing=OuterRef("mailing"), first_id__lte=OuterRef("pk"), last_id__gte=OuterRef("pk"))
    return Exists(found.exclude(worker="") if live else found)


def due_mailings() -> QuerySet[Mailing]:
    """Running mailings of which a worker may find rows to send now. A few probes of an index each."""
    rows = Delivery.objects.filter(mailing=OuterRef("pk"))
    return Mailing.objects.filter(
        Q(leased_to__lt=F("last_id"))
        | Exists(Lease.objects.filter(mailing=OuterRef("pk"), worker=""))
        | Exists(rows.filter(~held(live=False), attention=State.PENDING))
        # Those in the range of a live lease wait until it ends.
        | Exists(rows.filter(~held(live=True), attention=State.DEFERRED, retry_at__lte=clock.now())),
        state=Mailing.State.RUNNING,
    )


def has_open_rows(mailing: Mailing) -> bool:
    """Whether any row waits or is held, as far as can be seen without reading the whole mailing."""
    return (
        Lease.objects.filter(mailing=mailing).exists()
        or Delivery.objects.filter(mailing=mailing, attention__in=Delivery.OPEN).exists()
        or rows_of(mailing, first=mailing.leased_to + 1).filter(state=State.PENDING).exists()
    )


def find_strays(mailing: Mailing) -> int:
    """Pending rows that no claim would find (there should be none) wait from now on like those that came back."""
    strays = rows_of(mailing, last=mailing.leased_to).filter(~held(live=False), state=State.PENDING, retry_at=None)
    return strays.update(retry_at=clock.now())


def show_who_is_being_sent(rows: Iterable[Delivery]) -> None:
    """Give pending rows that a worker holds the state for people, leased or in doubt. Not to be saved."""
    pending = sorted((row for row in rows if row.state == State.PENDING), key=lambda row: row.mailing_id)
    for mailing, those in groupby(pending, key=lambda row: row.mailing_id):
        leases = list(Lease.objects.filter(mailing=mailing).exclude(worker=""))
        for row in those:
            for lease in leases:
                if lease.first_id <= row.pk <= lease.last_id:
                    row.state = State.IN_DOUBT if row.pk <= lease.offered_to else State.LEASED
