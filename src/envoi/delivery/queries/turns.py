# ruff: noqa: S608 - put together from names of tables of this code; every value is a parameter
"""Whose turn it is: for which mailing a sender works next, and when it should look for another one.

The most urgent mailing that has rows to send goes first; equals take turns, the one that was served least recently
before the others. Personal mail is no broadcast's business: it has a queue and senders of its own.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from envoi.core import clock
from envoi.core.prepared import preparing_cursor
from envoi.delivery.models import Delivery, Mailing, Transport
from envoi.delivery.queries import roster
from envoi.delivery.queries.ranges import due_mailings

# How long a turn lasts when nobody waits, and when somebody as urgent does.
LONG = timedelta(seconds=20)
SHORT = timedelta(seconds=3)
# How often the watchdog looks, and how long a sender leaves rows alone that come back soon.
WATCHED = timedelta(seconds=20)
PAUSE = timedelta(seconds=2)


def waiting() -> QuerySet[Mailing]:
    """Broadcasts with rows to send now, in the order in which they are to be served."""
    first = F("turn_at").asc(nulls_first=True)
    broadcasts = due_mailings().filter(priority__lt=Mailing.Priority.PERSONAL)
    return broadcasts.select_related("identity__transport").order_by("-priority", first, "id")


def is_due(mailing: Mailing) -> bool:
    """Whether it has rows to send now, whatever its priority."""
    return due_mailings().filter(pk=mailing.pk).exists()


def soon_due_at(mailing: Mailing) -> datetime | None:
    """When the first of its rows that were put off is due, if that is before the watchdog looks anyway.

    Not at once even so: those put off towards one provider come back one by one, and a turn for each would cost more.
    """
    now = clock.now()
    soon = Delivery.objects.filter(mailing=mailing, attention=Delivery.State.DEFERRED, retry_at__lte=now + WATCHED)
    first = soon.order_by("retry_at").values_list("retry_at", flat=True).first()
    return None if first is None else max(first, now + PAUSE)


def is_personal(mailing_id: int) -> bool:
    """Whether this is a mailing that somebody waits for."""
    return Mailing.objects.filter(pk=mailing_id, priority__gte=Mailing.Priority.PERSONAL).exists()


def take(mailing: Mailing) -> bool:
    """Note that its turn begins; False when another sender did so since `mailing` was read."""
    now = clock.now()
    same = Mailing.objects.filter(pk=mailing.pk, turn_at=mailing.turn_at)
    taken = bool(same.update(turn_at=now))
    if taken:
        mailing.turn_at = now
    return taken


def put_back(mailing: Mailing, before: datetime | None) -> None:
    """Its turn did not come about: it waits since `before`."""
    Mailing.objects.filter(pk=mailing.pk, turn_at=mailing.turn_at).update(turn_at=before)


def is_over(worker: str, mailing: Mailing, transport: Transport, began: datetime) -> bool:
    """Whether a sender should end the turn that it began at `began`; asked about once a second, two plain
    statements while nothing else as urgent runs.

    It should when its place is gone, because it stood still for too long or the database is another one, and others may
    have its connections; when it holds more connections than its share, or could have more; when something more urgent
    waits that nobody has served in the last seconds, whether it could be or not; or when something as urgent waits,
    after `SHORT`.
    """
    now = clock.now()
    settled = now - began >= SHORT
    places = roster.at_work(transport)
    share = roster.shares(transport.max_connections, places).get(worker, 0)
    holds = next((place.holds for place in places if place.worker == worker), None)
    if holds is None:
        return True
    free = transport.max_connections - sum(place.holds for place in places)
    if share < holds or (settled and share > holds and free > 0):
        return True
    if mailing.priority >= Mailing.Priority.PERSONAL:
        return False
    if not _others_run(mailing):
        return False
    urgent = Q(priority__gt=mailing.priority) & (Q(turn_at=None) | Q(turn_at__lt=now - SHORT))
    equal = Q(priority=mailing.priority) & (Q(turn_at=None) | Q(turn_at__lt=began))
    before = urgent | equal if settled else urgent
    # Whether they have rows to send costs four times as much to ask.
    if not Mailing.objects.filter(before, state=Mailing.State.RUNNING).exclude(pk=mailing.pk).exists():
        return False
    return waiting().filter(before, identity__transport__paused_at=None).exclude(pk=mailing.pk).exists()


_OTHERS = f"SELECT EXISTS (SELECT 1 FROM {Mailing._meta.db_table} WHERE state = %s AND priority >= %s AND id <> %s)"


def _others_run(mailing: Mailing) -> bool:
    """Whether anything as urgent runs at all. Mostly nothing does, and this is plain SQL."""
    with preparing_cursor() as cursor:
        cursor.execute(_OTHERS, [str(Mailing.State.RUNNING), int(mailing.priority), mailing.pk])
        return bool(cursor.fetchone()[0])
