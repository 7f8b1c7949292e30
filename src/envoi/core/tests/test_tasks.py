"""The contract of background tasks, kept by both engines: this suite runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from envoi.core import clock
from envoi.core.models import FailedTask, RecurringSlot, TaskRow
from envoi.core.tasks import UnknownTask, later, later_unless_waiting, running, scheduler, task
from envoi.core.tasks.engine import Timing, engine
from envoi.core.tasks.scheduler import Recurring
from envoi.core.tasks.testing import run_due

QUEUES = ["default", "sending"]
written: list[str] = []


@task("tests.write")
def write(text: str) -> None:
    written.append(text)


@task("tests.tick")
def tick() -> None:
    written.append("tick")


@task("tests.stumble", attempts=2)
def stumble(who: str) -> None:
    written.append(f"tried for {who}")
    raise OSError(f"the relay of {who} does not answer")


asked: list[bool] = []


@task("tests.pass_on")
def pass_on() -> None:
    """Asks for itself once, while it runs."""
    if not asked:
        asked.append(later_unless_waiting("tests.pass_on"))


@pytest.fixture(autouse=True)
def paper() -> Iterator[None]:
    written.clear()
    yield
    written.clear()


def work() -> None:
    engine().work_off(QUEUES, Timing())


def waiting() -> list[tuple[str, dict[str, object]]]:
    return [(one.name, one.arguments) for one in engine().waiting()]


@pytest.mark.django_db(transaction=True)
def test_what_is_passed_on_again_and_again_waits_only_once() -> None:
    assert later_unless_waiting("tests.tick")
    assert not later_unless_waiting("tests.tick")
    assert not later_unless_waiting("tests.tick", run_after=clock.now() + timedelta(minutes=1))
    later("tests.write", text="Dear Ada")
    assert waiting() == [("tests.tick", {}), ("tests.write", {"text": "Dear Ada"})]
    work()
    assert later_unless_waiting("tests.tick", run_after=clock.now() + timedelta(minutes=1))
    # That one waits too long for whoever is needed now.
    assert later_unless_waiting("tests.tick")
    assert waiting() == [("tests.tick", {}), ("tests.tick", {})]


@pytest.mark.django_db(transaction=True)
def test_a_task_that_runs_does_not_wait() -> None:
    asked.clear()
    later("tests.pass_on")
    work()
    assert asked == [True]
    assert waiting() == []


@pytest.mark.django_db(transaction=True)
def test_a_task_that_was_asked_for_runs_once() -> None:
    later("tests.write", text="Dear Ada")
    work()
    work()
    assert written == ["Dear Ada"]
    assert engine().waiting() == []


@pytest.mark.django_db(transaction=True)
def test_a_request_in_a_transaction_that_is_rolled_back_leaves_nothing() -> None:
    with transaction.atomic():
        later("tests.write", text="Dear Bob")
        assert waiting() == [("tests.write", {"text": "Dear Bob"})]
        transaction.set_rollback(True)
    work()
    assert written == []
    assert engine().waiting() == []


@pytest.mark.django_db(transaction=True)
def test_a_task_waits_for_its_time() -> None:
    later("tests.write", text="tomorrow", run_after=clock.now() + timedelta(days=1))
    later("tests.write", text="since yesterday", run_after=clock.now() - timedelta(days=1))
    work()
    assert written == ["since yesterday"]
    assert waiting() == [("tests.write", {"text": "tomorrow"})]


@pytest.mark.django_db(transaction=True)
def test_the_more_urgent_task_runs_first() -> None:
    later("tests.write", text="when there is time", priority=-50)
    later("tests.write", text="as usual")
    later("tests.write", text="at once", priority=50)
    work()
    assert written == ["at once", "as usual", "when there is time"]


@pytest.mark.django_db(transaction=True)
def test_a_worker_leaves_other_queues_alone() -> None:
    later("tests.write", text="Dear Chloé")
    engine().work_off(["sending"], Timing())
    assert written == []
    assert waiting() == [("tests.write", {"text": "Dear Chloé"})]


@pytest.mark.django_db(transaction=True)
def test_a_task_that_raises_is_tried_again_later_and_then_kept_with_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    later("tests.stumble", who="Dmitri")
    before = clock.now()
    work()
    work()
    assert written == ["tried for Dmitri"]
    (again,) = engine().waiting()
    assert again.attempts == 1
    assert again.run_after is not None
    assert timedelta(seconds=3) < again.run_after - before < timedelta(seconds=30)
    assert not FailedTask.objects.exists()

    monkeypatch.setattr(running, "FIRST_WAIT", timedelta(0))
    make_due()
    work()
    assert written == ["tried for Dmitri", "tried for Dmitri"]
    assert engine().waiting() == []
    kept = FailedTask.objects.get()
    assert (kept.name, kept.queue, kept.arguments, kept.attempts) == ("tests.stumble", "default", {"who": "Dmitri"}, 2)
    assert "OSError: the relay of Dmitri does not answer" in kept.error


def make_due() -> None:
    """Let the time pass until everything that waits is due; PostgreSQL has a clock of its own."""
    past = clock.now() - timedelta(seconds=1)
    TaskRow.objects.update(available_at=past)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = %s", [past])


@pytest.mark.django_db(transaction=True)
def test_nobody_can_ask_for_a_task_that_was_never_declared() -> None:
    with pytest.raises(UnknownTask, match=r"tests\.nothing"):
        later("tests.nothing")
    assert engine().waiting() == []


def test_waits_grow_up_to_an_hour() -> None:
    waits = [int(running.backoff(attempt).total_seconds()) for attempt in range(1, 8)]
    assert waits == [5, 20, 80, 320, 1280, 3600, 3600]


@pytest.mark.django_db
def test_run_due_runs_what_is_due_on_the_clock_of_the_test_and_raises_what_the_task_raised() -> None:
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    with clock.set_to(noon):
        later("tests.write", text="lunch", run_after=noon + timedelta(minutes=30))
        later("tests.write", text="soup", priority=1)
        later("tests.write", text="bread", priority=2)
        assert run_due() == 2
    assert written == ["bread", "soup"]
    with clock.set_to(noon + timedelta(hours=1)):
        assert run_due() == 1
        later("tests.stumble", who="Åsa")
        with pytest.raises(OSError, match="Åsa"):
            run_due()
    assert written == ["bread", "soup", "lunch", "tried for Åsa"]


ENTRIES = [Recurring("tests.tick", every=timedelta(minutes=5))]


@pytest.mark.django_db
def test_recurring_work_is_asked_for_once_per_interval_even_by_two_schedulers() -> None:
    start = datetime(2026, 5, 1, 12, 1, tzinfo=UTC)
    asked = []
    for minute in range(11):
        with clock.set_to(start + timedelta(minutes=minute)):
            asked += [(minute, "first", name) for name in scheduler.ask_for_due(ENTRIES)]
            asked += [(minute, "second", name) for name in scheduler.ask_for_due(ENTRIES)]
    assert asked == [(0, "first", "tests.tick"), (4, "first", "tests.tick"), (9, "first", "tests.tick")]
    assert waiting() == [("tests.tick", {})] * 3


@pytest.mark.django_db
def test_of_two_schedulers_that_saw_the_same_slot_only_one_asks() -> None:
    start = datetime(2026, 5, 1, 12, 1, tzinfo=UTC)
    with clock.set_to(start):
        assert scheduler.ask(ENTRIES[0], start) is True
        assert scheduler.ask(ENTRIES[0], start) is False
    assert waiting() == [("tests.tick", {})]
    assert RecurringSlot.objects.get().due_at == datetime(2026, 5, 1, 12, 5, tzinfo=UTC)


@pytest.mark.django_db
def test_missed_intervals_are_made_up_for_once() -> None:
    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    with clock.set_to(start):
        scheduler.ask_for_due(ENTRIES)
    with clock.set_to(start + timedelta(hours=9)):
        assert scheduler.ask_for_due(ENTRIES) == ["tests.tick"]
        assert scheduler.ask_for_due(ENTRIES) == []


@pytest.mark.django_db
def test_an_interval_made_shorter_counts_at_once() -> None:
    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    with clock.set_to(start):
        scheduler.ask_for_due([Recurring("tests.tick", every=timedelta(days=30))])
        assert scheduler.ask_for_due(ENTRIES) == ["tests.tick"]
