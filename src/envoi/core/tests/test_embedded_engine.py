"""What only the embedded engine has: leases in rows, and who may still write when a lease is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from envoi.core import clock
from envoi.core.models import FailedTask, TaskRow
from envoi.core.tasks import embedded, task
from envoi.core.tasks.engine import Timing

QUEUES = ["default"]
TIMING = Timing()
written: list[str] = []


@task("tests.note", attempts=3)
def note(text: str) -> None:
    written.append(text)


@pytest.fixture(autouse=True)
def asked(db: None) -> None:
    """A task in the embedded engine, whichever database this run is about."""
    written.clear()
    TaskRow.objects.create(name="tests.note", queue="default", arguments={"text": "Dear Ada"}, available_at=clock.now())


def take(worker: str, after: timedelta = timedelta(0)) -> TaskRow | None:
    with clock.set_to(clock.now() + after):
        return embedded.take(QUEUES, worker, TIMING)


def test_a_leased_task_is_nobody_elses() -> None:
    mine = take("Bob")
    assert mine is not None
    assert (mine.worker, mine.attempts) == ("Bob", 1)
    assert take("Chloé") is None


def test_a_lease_that_is_pushed_on_does_not_end() -> None:
    take("Bob")
    with clock.set_to(clock.now() + TIMING.lease - timedelta(seconds=1)):
        embedded.renew("Bob", TIMING)
    assert take("Chloé", after=TIMING.lease + timedelta(seconds=1)) is None


def test_the_task_of_a_silent_worker_goes_to_the_next_and_the_first_changes_nothing_any_more() -> None:
    first = take("Bob")
    second = take("Chloé", after=TIMING.lease + timedelta(seconds=1))
    assert first is not None
    assert second is not None
    assert (second.worker, second.attempts) == ("Chloé", 2)

    embedded.run(first)
    assert written == ["Dear Ada"]
    assert TaskRow.objects.filter(worker="Chloé").exists()
    assert not FailedTask.objects.exists()

    embedded.run(second)
    assert not TaskRow.objects.exists()


def test_a_task_that_kills_its_worker_each_time_is_kept_as_failed() -> None:
    for worker in range(3):
        assert take(f"worker {worker}", after=worker * (TIMING.lease + timedelta(seconds=1))) is not None
    assert take("worker 3", after=4 * TIMING.lease) is None
    assert not TaskRow.objects.exists()
    kept = FailedTask.objects.get()
    assert (kept.name, kept.attempts) == ("tests.note", 3)
    assert kept.error == "The worker stopped 3 times while it ran this task."
    assert written == []


def test_a_task_of_an_unknown_name_is_kept_for_a_newer_version() -> None:
    TaskRow.objects.update(name="tests.from_the_future")
    row = take("Bob")
    assert row is not None
    embedded.run(row)
    waiting = TaskRow.objects.get()
    assert (waiting.worker, waiting.attempts) == ("", 1)
    assert waiting.error == "no task is named “tests.from_the_future”"
    assert waiting.available_at > clock.now()
