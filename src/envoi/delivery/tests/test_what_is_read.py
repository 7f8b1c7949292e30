"""What is asked again and again costs the same however many messages have been sent: the ledger is not read for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection

from envoi.core import clock
from envoi.delivery.actions.watch import watch
from envoi.delivery.models import Delivery, Mailing, Route, Transport
from envoi.delivery.queries import leases, transports, turns
from envoi.delivery.queries.progress import came_back, failing_share, log, progress
from envoi.delivery.queries.ranges import has_open_rows
from envoi.delivery.queries.tallies import recount
from envoi.delivery.queries.transports import standings
from envoi.delivery.tests.factories import make_mailing, make_transport
from envoi.delivery.tests.reading import people

pytestmark = pytest.mark.django_db

FEW, MANY = 100, 3_000
# So much more `read_for` may say; all of the larger mailing would be ten times that. PostgreSQL may begin with the few.
SLACK = {"sqlite": 10, "postgresql": 2 * FEW}


def sent_to(number: int) -> Mailing:
    """A mailing that everybody has, over two transports, but which nobody has called finished yet."""
    mailing = make_mailing(*[f"{number}-{address}" for address in people(number)], transport=make_transport())
    mailing.deliveries.update(
        state=Delivery.State.SENT, state_at=clock.now(), attempts=1, transport=mailing.identity.transport
    )
    mailing.leased_to = mailing.last_id
    mailing.save(update_fields=["leased_to"])
    Route.objects.create(identity=mailing.identity, transport=make_transport())
    recount(mailing)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE delivery_delivery")
    return mailing


def read_for(work: Callable[[], object]) -> int:
    """How much the database reads for it: on SQLite hundreds of steps of its machine, on PostgreSQL rows."""
    if connection.vendor == "postgresql":
        before = _rows_read()
        work()
        return _rows_read() - before
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.ensure_connection()
    connection.connection.set_progress_handler(count, 100)
    try:
        work()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return steps


def _ways(mailing: Mailing) -> list[Transport]:
    return [mailing.identity.transport, *Transport.objects.filter(routes__identity=mailing.identity)]


def _rows_read() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'delivery_delivery'"
        )
        return int(cursor.fetchone()[0])


ASKED: dict[str, Callable[[Mailing], object]] = {
    "when rows that were put off are due": turns.soon_due_at,
    "whether it has rows to send": turns.is_due,
    "who is to be served next": lambda mailing: list(turns.waiting()),
    "what a sender may have": lambda mailing: leases.claim(mailing, "w", 100),
    "whether rows are open": has_open_rows,
    "how far it is": progress,
    "how fast its transports are": lambda mailing: standings(_ways(mailing)),
    "how much fails": lambda mailing: failing_share(mailing, 200),
    "how much came back": came_back,
    "the log's first failed ones": lambda mailing: list(log(mailing, state="failed")[:50]),
    "the log's first that wait": lambda mailing: list(log(mailing, state="pending")[:50]),
    "the log's first that are being sent": lambda mailing: list(log(mailing, state="leased")[:50]),
    "the log's first of all": lambda mailing: list(log(mailing)[:50]),
    "the log's search": lambda mailing: list(log(mailing, search=f"{mailing.total}-p00")[:50]),
}


def test_asking_costs_the_same_however_many_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "LAST_ROWS", FEW)
    few, many = sent_to(FEW), sent_to(MANY)
    dear = {}
    for question, ask in ASKED.items():
        small, large = read_for(partial(ask, few)), read_for(partial(ask, many))
        if large > small + SLACK[connection.vendor]:
            dear[question] = (small, large)
    assert dear == {}


def test_the_watchdog_costs_the_same_however_many_were_ever_sent() -> None:
    sent_to(FEW)
    watch()
    small = read_for(watch)
    sent_to(MANY)
    watch()
    assert read_for(watch) <= small + SLACK[connection.vendor]
