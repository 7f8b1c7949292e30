"""Who may send which rows just now: leases, the window of rows about to be sent, and what becomes of a dead worker's.

Guarantees: a row is leased to one worker at a time, taken by a conditional UPDATE (`SKIP LOCKED` on PostgreSQL,
IMMEDIATE transactions on SQLite); only rows of the window (state in_doubt) may have been handed to a server, so
that of a worker that died the others surely were not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from envoi.contacts.models import Suppression
from envoi.core import clock
from envoi.delivery.composers import Leased
from envoi.delivery.models import Delivery, Mailing, Purpose
from envoi.delivery.queries.tallies import add_to_tally

State = Delivery.State
Skip = Delivery.SkipReason

# Renewed while a worker lives, also during the ten minutes that a server may take to answer the final dot.
LEASE = timedelta(seconds=settings.ENVOI_LEASE_SECONDS)
# So long an unknown outcome waits for evidence before the rule closes it.
DOUBT = timedelta(hours=72)


_COLUMNS = ("id", "key", "address", "address_key", "contact_id", "attempts", "first_attempt_at", "lease_epoch")


def claim(mailing: Mailing, worker: str, size: int) -> list[Leased]:
    """Lease up to `size` due rows of a running mailing to `worker`: first those deferred before, then new ones."""
    now = clock.now()
    with transaction.atomic():
        if not Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.RUNNING).exists():
            return []
        rows = mailing.deliveries.select_for_update(skip_locked=True)
        deferred = rows.filter(state=State.DEFERRED, retry_at__lte=now).order_by("retry_at", "id")
        # A range, not “=”, and the order with the state: or else PostgreSQL, whose statistics are of the freeze, walks
        # the primary key past everybody who has the message already.
        pending = rows.filter(state__gte=State.PENDING, state__lte=State.PENDING).order_by("state", "id")
        again = list(deferred.values_list(*_COLUMNS)[:size])
        new = list(pending.values_list(*_COLUMNS)[: size - len(again)]) if len(again) < size else []
        ids = [row[0] for row in (*again, *new)]
        Delivery.objects.filter(pk__in=ids).update(
            state=State.LEASED,
            lease_worker=worker,
            lease_epoch=F("lease_epoch") + 1,
            lease_until=now + LEASE,
            retry_at=None,
            first_attempt_at=Coalesce(F("first_attempt_at"), now),
        )
        add_to_tally(mailing, Counter({(State.DEFERRED, ""): -len(again)}))
    return [
        Leased(number, key, address, compared, contact, attempts, begun or now, epoch + 1)
        for number, key, address, compared, contact, attempts, begun, epoch in (*again, *new)
    ]


def open_window(worker: str, rows: Collection[Leased]) -> set[int]:
    """Mark rows as about to be handed over; the ids of those that still are this worker's to send.

    Commit before the first byte leaves.
    """
    now = clock.now()
    ids = {row.id for row in rows}
    mine = Delivery.objects.filter(pk__in=ids, lease_worker=worker, state=State.LEASED, lease_until__gt=now)
    if mine.update(state=State.IN_DOUBT, state_at=now, attempts=F("attempts") + 1) == len(ids):
        return ids
    marked = Delivery.objects.filter(pk__in=ids, lease_worker=worker, state=State.IN_DOUBT)
    return set(marked.values_list("id", flat=True))


def renew(worker: str, ids: set[int]) -> set[int]:
    """Prolong the leases of a worker that is alive; the ids that still are its own. What has run out stays lost."""
    now = clock.now()
    mine = Delivery.objects.filter(pk__in=ids, lease_worker=worker, lease_until__gt=now)
    if mine.update(lease_until=now + LEASE) == len(ids):
        return ids
    return set(mine.values_list("id", flat=True))


def hindered(purpose: str, keys: Collection[str]) -> dict[str, Delivery.SkipReason]:
    """Which of these addresses must not be written to at this moment, and why."""
    found = Suppression.objects.filter(address_key__in=keys)
    if purpose == Purpose.TRANSACTIONAL:
        found = found.exclude(reason=Suppression.Reason.UNSUBSCRIBED)
    return {
        key: Skip.UNSUBSCRIBED if reason == Suppression.Reason.UNSUBSCRIBED else Skip.SUPPRESSED
        for key, reason in found.values_list("address_key", "reason")
    }


def expired(limit: int) -> QuerySet[Delivery]:
    """Rows whose worker has not renewed its lease: it was killed, or its machine is gone."""
    return (
        Delivery.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(
            # By mailing, because that is how the index of states begins.
            mailing__in=Mailing.objects.exclude(state=Mailing.State.FINISHED).values("pk"),
            state__in=[State.LEASED, State.IN_DOUBT],
            lease_until__lte=clock.now(),
        )
        .select_related("mailing")
        .only("id", "state", "mailing__id", "mailing__state", "mailing__state_changed_at")
        .order_by("lease_until")[:limit]
    )


def reclaim(detail: str, limit: int = 1000) -> tuple[int, int]:
    """Take back rows of dead workers: outside a window to pending, inside to unknown with `detail`.

    Gives how many of each, at most `limit` together.
    """
    now = clock.now()
    with transaction.atomic():
        rows = list(expired(limit))
        unsent = [row.pk for row in rows if row.state == State.LEASED]
        doubtful = [row for row in rows if row.state == State.IN_DOUBT]
        free = {"lease_until": None, "state_at": now}
        Delivery.objects.filter(pk__in=unsent, attempts=0).update(first_attempt_at=None)
        Delivery.objects.filter(pk__in=unsent).update(state=State.PENDING, lease_worker="", **free)
        # The worker's name stays: its journal may turn up and end the doubt.
        Delivery.objects.filter(pk__in=[row.pk for row in doubtful]).update(
            state=State.UNKNOWN, detail=detail, retry_at=now + DOUBT, **free
        )
        for mailing in {row.mailing for row in doubtful}:
            number = sum(row.mailing_id == mailing.pk for row in doubtful)
            add_to_tally(mailing, Counter({(State.UNKNOWN, ""): number}))
    return len(unsent), len(doubtful)
