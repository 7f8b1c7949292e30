# ruff: noqa: S608 - put together from names of tables of this code; every value is a parameter
"""Which shifts there are just now, and how the connections of a transport are divided among them.

Guarantee: the shifts of one transport together never hold more connections than it allows, on however many machines:
what a shift holds stands in its row, and is given under the lock of the transport's row. Who holds more than its share
ends its turn within about a second (`turns.is_over`); whoever waits takes what became free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction

from envoi.core import clock
from envoi.core.prepared import preparing_cursor
from envoi.core.tasks import heartbeats
from envoi.delivery.models import Mailing, Shift, Transport
from envoi.delivery.queries.leases import LEASE

# From so many connections on, one is kept for personal mail; of fewer it takes one when it needs it.
KEPT_FROM = 3
# When a mailing has begun or goes on, the other senders are on their way to help.
JUST_BEGUN = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Place:
    """A shift as the division sees it; `holds` are the connections it has now."""

    worker: str
    personal: bool
    holds: int


# Every sender asks every second: plain SQL spares what Django takes to put it together.
_AT_WORK = f"""
SELECT s.worker, m.priority, s.connections
  FROM {Shift._meta.db_table} s JOIN {Mailing._meta.db_table} m ON m.id = s.mailing_id
 WHERE s.transport_id = %s AND s.until > %s
 ORDER BY s.id
"""


def sign_on(worker: str, mailing: Mailing, transport: Transport) -> int:
    """Begin a shift; how many connections it may open, 0 while it must wait for others to close theirs."""
    now = clock.now()
    with transaction.atomic():
        Shift.objects.filter(until__lte=now).delete()
        Shift.objects.create(worker=worker, mailing=mailing, transport=transport, started_at=now, until=now + LEASE)
        return take_connections(worker, mailing, transport)


def take_connections(worker: str, mailing: Mailing, transport: Transport) -> int:
    """As many connections as the worker's share allows and others left; 0 when it must wait."""
    if sum(place.holds for place in at_work(transport)) >= transport.max_connections:
        return 0
    with transaction.atomic():
        most = Transport.objects.select_for_update().values_list("max_connections", flat=True).get(pk=transport.pk)
        places = at_work(transport)
        expected = helpers(mailing) - sum(not place.personal for place in places)
        share = shares(most, places, coming=max(0, expected)).get(worker, 0)
        free = most - sum(place.holds for place in places if place.worker != worker)
        given = max(0, min(share, free))
        Shift.objects.filter(worker=worker).update(connections=given)
    return given


def at_work(transport: Transport) -> list[Place]:
    """The live shifts of a transport, those that wait for connections too, always in the same order."""
    with preparing_cursor() as cursor:
        cursor.execute(_AT_WORK, [transport.pk, connection.ops.adapt_datetimefield_value(clock.now())])
        alive = cursor.fetchall()
    return [Place(worker, priority >= Mailing.Priority.PERSONAL, holds) for worker, priority, holds in alive]


def helpers(mailing: Mailing) -> int:
    """How many senders will work for a mailing that has just begun; 0 later, when those that came are seen."""
    if mailing.priority >= Mailing.Priority.PERSONAL or clock.now() - mailing.state_changed_at > JUST_BEGUN:
        return 0
    return heartbeats.living("sender")


def shares(most: int, places: Sequence[Place], coming: int = 0) -> dict[str, int]:
    """How many connections each worker should have, of `most`; `coming` more broadcast shifts are counted in.

    A personal shift gets one; broadcasts divide the rest evenly, those that came first getting what is left over.
    When there are more shifts than connections, the last ones get none.
    """
    personal = [place.worker for place in places if place.personal]
    others = [place.worker for place in places if not place.personal]
    kept = min(most, max(len(personal), 1 if most >= KEPT_FROM else 0))
    found = {worker: int(number < kept) for number, worker in enumerate(personal)}
    each, over = divmod(most - kept, max(1, len(others) + coming))
    return found | {worker: each + (number < over) for number, worker in enumerate(others)}


def stay_on(worker: str) -> None:
    """Say that the worker is alive."""
    Shift.objects.filter(worker=worker).update(until=clock.now() + LEASE)


def sign_off(worker: str) -> None:
    """Give the place and its connections back."""
    Shift.objects.filter(worker=worker).delete()
