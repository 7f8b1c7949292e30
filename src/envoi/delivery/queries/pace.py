"""The rates and runs of a transport, kept by one row that all workers on all machines share.

A slot is the moment at which one message may leave. Slots stand evenly apart, so that no second and no hour, wherever
one begins to count, holds more than the transport's limits. Slots that a worker reserved and did not use are lost, not
saved up. Personal mail takes the next slot and pushes those of broadcasts back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from envoi.core import clock
from envoi.delivery.limits import rates
from envoi.delivery.limits.rates import AHEAD, Taken
from envoi.delivery.models import Pace, Transport

# A run without a number of messages: more than any broadcast has.
ALL = 2_000_000_000


def interval(transport: Transport) -> timedelta:
    """The time between two messages; zero when the transport has no limit."""
    return rates.interval(transport.per_second, transport.per_hour)


def in_portions(transport: Transport) -> bool:
    """Whether it sends in runs."""
    return transport.release == Transport.Release.QUEUED


def run_due_at(transport: Transport, pace: Pace | None, now: datetime) -> datetime | None:
    """When the next run of a transport that sends in portions is due; None when only a person or cron begins it.

    The first one is due `now`.
    """
    if not transport.portion_minutes:
        return None
    return pace.run_at + timedelta(minutes=transport.portion_minutes) if pace and pace.run_at else now


def left_of_run(transport: Transport, pace: Pace | None, now: datetime) -> int:
    """How many messages the run still holds, or the one that would begin now."""
    due = run_due_at(transport, pace, now)
    if due is not None and due <= now:
        return transport.portion or ALL
    return (pace.run_left or 0) if pace else 0


def reserve(
    transport: Transport, wanted: int, within: timedelta = AHEAD, *, personal: bool = False, of_run: bool = False
) -> Taken:
    """Up to `wanted` slots that begin no later than `within` from now, and when the first slot after them begins.

    Args:
        personal: ahead of broadcasts.
        of_run: no more than the run holds; begins the next one when it is due. `next_at` says nothing about runs.
    """
    now, step = clock.now(), interval(transport)
    if not step and not of_run:
        return Taken([now] * wanted, now)
    with transaction.atomic():
        pace = locked(transport)
        if of_run:
            _begin_if_due(transport, pace, now)
            wanted = min(wanted, pace.run_left or 0)
        if personal:
            taken = rates.take(pace.personal_at or now, now, step, wanted, within)
            pace.personal_at = taken.next_at
            pace.next_at = max(pace.next_at, now) + len(taken.slots) * step
        else:
            taken = rates.take(pace.next_at, now, step, wanted, within)
            pace.next_at = taken.next_at
        if of_run:
            pace.run_left = (pace.run_left or 0) - len(taken.slots)
        if taken.slots or of_run:
            pace.save()
    return taken


def return_tail(transport: Transport, taken: Taken, used: int, *, personal: bool = False, of_run: bool = False) -> None:
    """Give the slots after the first `used` back. Only in the transaction that reserved them: nobody came after."""
    step, back = interval(transport), len(taken.slots) - used
    if back <= 0 or not (step or of_run):
        return
    pace = locked(transport)
    pace.next_at -= back * step
    if personal and pace.personal_at:
        pace.personal_at -= back * step
    if of_run:
        pace.run_left = (pace.run_left or 0) + back
    pace.save()


def return_to_run(transport: Transport, number: int) -> None:
    """So many messages of the run surely were not offered to a server."""
    Pace.objects.filter(transport=transport, run_left__isnull=False).update(run_left=F("run_left") + number)


def begin_run(transport: Transport) -> int:
    """Begin a run now, whatever is left of the one before; how many messages it holds."""
    with transaction.atomic():
        pace = locked(transport)
        pace.run_left, pace.run_at = transport.portion or ALL, clock.now()
        pace.save()
    return pace.run_left


def end_run(transport: Transport) -> None:
    """What the run still holds is not sent any more, until the next one."""
    Pace.objects.filter(transport=transport).update(run_left=0)


def locked(transport: Transport) -> Pace:
    """The row of the transport, locked until the transaction ends; made when there is none."""
    mine = Pace.objects.select_for_update().filter(transport=transport)
    found = mine.first()
    if found is None:
        Pace.objects.bulk_create([Pace(transport=transport, next_at=clock.now())], ignore_conflicts=True)
        found = mine.get()
    return found


def _begin_if_due(transport: Transport, pace: Pace, now: datetime) -> None:
    due = run_due_at(transport, pace, now)
    if due is None or due > now:
        return
    pace.run_left = transport.portion or ALL
    # On the beat of the first run, whatever the worker was busy with; runs that nobody needed are not made up for.
    every = timedelta(minutes=transport.portion_minutes or 1)
    pace.run_at = due + (now - due) // every * every
