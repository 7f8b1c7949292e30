"""What two do at the same moment: somebody commits between two statements of another, or takes what he holds.

Each test puts the other's commit where it hurts, on one connection; the order is what matters, not who runs it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from envoi.core import clock
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.actions.doubts import reached
from envoi.delivery.actions.reported import Fate, Reported, take_report
from envoi.delivery.actions.watch import watch
from envoi.delivery.models import Delivery, Lease, Mailing
from envoi.delivery.queries import recount
from envoi.delivery.queries.leases import release
from envoi.delivery.queries.results import Result, Settled, settle
from envoi.delivery.shifts.shift import Shift
from envoi.delivery.shifts.work import work
from envoi.delivery.tests.composing import Plain
from envoi.delivery.tests.factories import claimed, make_mailing, make_transport
from envoi.delivery.tests.mailbox import mailbox

pytestmark = pytest.mark.django_db

Row = Delivery.State


def states(mailing: Mailing) -> Counter[str]:
    return Counter(mailing.deliveries.values_list("state", flat=True))


def tallied(mailing: Mailing) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for state, number in mailing.tallies.values_list("state", "count"):
        counts[state] += number
    return {state: number for state, number in counts.items() if number}


@contextmanager
def somebody(does: Callable[[], Any], *, after: str) -> Iterator[None]:
    """Once, right after the first statement with this in it."""
    left = [does]

    def look(execute: Any, statement: str, *rest: Any) -> Any:
        done = execute(statement, *rest)
        if left and after in statement:
            left.pop()()
        return done

    with connection.execute_wrapper(look):
        yield
    assert not left


def test_what_a_worker_gives_back_while_the_mailing_is_cancelled_is_skipped_too() -> None:
    mailing = make_mailing("ada@example.net", "bob@example.net")
    held = claimed(mailing, "host:1", 1)
    with somebody(lambda: release(held, held.rows[0].id), after='UPDATE "delivery_delivery"'):
        assert mailings.cancel(mailing, actor=None)
    watch()
    assert states(mailing) == {"skipped": 2}
    assert tallied(mailing) == {"skipped": 2}
    assert not Lease.objects.exists()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets nobody write between two statements of another")
def test_an_answer_that_comes_to_light_while_all_are_counted_is_counted_once() -> None:
    mailing = make_mailing("ada@example.net", "bob@example.net")
    held = claimed(mailing, "host:1", 2)
    ada, bob = held.rows
    settle(held, [Result(ada.id, Row.UNKNOWN), Result(bob.id, Row.SENT)], end=True)
    with somebody(lambda: reached([ada.id]), after="COUNT("):
        assert mailings.finish_if_done(mailing)
    assert states(mailing) == {"sent": 2}
    assert tallied(mailing) == {"sent": 2}
    assert recount(mailing) == 0
    assert tallied(mailing) == {"sent": 2}


def test_a_shift_whose_lease_is_taken_as_it_opens_the_window_ends_and_sends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rounds = []

    def taken_first(held: Any, results: Any, **window: Any) -> Settled:
        if window.get("offered_to"):
            Lease.objects.filter(pk=held.id).update(worker="another")
        return settle(held, results, **window)

    def counted(self: Shift) -> None:
        rounds.append(self)
        assert len(rounds) < 100, "the shift does not end"

    monkeypatch.setattr("envoi.delivery.shifts.shift.settle", taken_first)
    monkeypatch.setattr("envoi.delivery.shifts.shift.FLUSH", 0.01)
    monkeypatch.setattr(Shift, "_act_on_standstill", counted)
    with mailbox() as server, Plain().registered():
        mailing = make_mailing("ada@example.net", "bob@example.net", transport=make_transport(port=server.port))
        work(mailing.pk)
        assert server.messages == []
    assert states(mailing) == {"pending": 2}
    with clock.set_to(clock.now() + timedelta(seconds=61)):
        watch()
    assert states(mailing) == {"pending": 2}


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_whoever_is_settled_while_another_lets_the_deferred_wait_again_is_not_sent_to() -> None:
    mailing = make_mailing("ada@example.net", "bob@example.net")
    due = clock.now() - timedelta(minutes=1)
    mailing.deliveries.update(state=Row.DEFERRED, retry_at=due)
    Mailing.objects.update(leased_to=mailing.last_id)
    ada = mailing.deliveries.get(address="ada@example.net")

    def claims() -> list[str]:
        try:
            return [row.address for row in claimed(mailing, "host:1", 9).rows]
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Delivery.objects.filter(pk=ada.pk).update(state=Row.SENT, retry_at=None)
            found = pool.submit(claims)
            while not found.done() and not _somebody_waits():
                pass
        assert found.result() == ["bob@example.net"]
    assert states(mailing) == {"sent": 1, "pending": 1}
    assert tallied(mailing) == {"deferred": -1}


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_a_report_about_somebody_deferred_waits_for_whoever_lets_them_wait_again() -> None:
    mailing = make_mailing("ada@example.net")
    mailing.deliveries.update(state=Row.DEFERRED, retry_at=clock.now())
    with CaptureQueriesContext(connection) as asked:
        take_report(mailing.deliveries.get().pk, Reported(Fate.FAILED))
    tables = [query["sql"].split(" FROM ")[1].split()[0] for query in asked if query["sql"].startswith("SELECT")]
    assert tables[1:4] == ['"delivery_delivery"', '"delivery_mailing"', '"delivery_delivery"']
    assert states(mailing) == {"bounced": 1}
