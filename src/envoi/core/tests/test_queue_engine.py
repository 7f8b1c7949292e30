"""What only the engine for PostgreSQL has: workers whose server is stopped under them stay and wait."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import psycopg
import pytest
from django.db import OperationalError, connection
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager
from psycopg import sql

from envoi.core.tasks import ending, later, task
from envoi.core.tasks.engine import Timing, engine

pytestmark = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite is no server that could stop")

QUICK = Timing(heartbeat=timedelta(seconds=0.1))
written: list[str] = []


@task("tests.write_on_paper")
def write_on_paper(text: str) -> None:
    written.append(text)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """The request to stop, of this test alone."""
    made = threading.Event()
    monkeypatch.setattr(ending, "_asked", made)
    written.clear()
    return made


@pytest.fixture
def worker(transactional_db: None, asked: threading.Event) -> Iterator[threading.Thread]:
    made = threading.Thread(target=engine().work, args=(["default"], 1, "", QUICK))
    made.start()
    yield made
    asked.set()
    made.join(timeout=40)
    assert not made.is_alive()


def until(what: Callable[[], object]) -> None:
    for _ in range(1200):
        if what():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to pass within a minute")


@contextmanager
def nobody_let_in() -> Iterator[None]:
    """The server takes nobody into this database, and whoever was in it is out; only the test itself stays."""
    name = sql.Identifier(connection.settings_dict["NAME"])
    values = {**connection.get_connection_params(), "dbname": "postgres"}
    with psycopg.connect(**values, autocommit=True) as beside, connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        beside.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        beside.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s",
            [connection.settings_dict["NAME"], cursor.fetchone()[0]],
        )
        try:
            yield
        finally:
            beside.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


@pytest.mark.fault("F10")
def test_a_worker_outlives_a_server_that_lets_nobody_in_for_a_while(
    worker: threading.Thread, caplog: pytest.LogCaptureFixture
) -> None:
    later("tests.write_on_paper", text="Dear Ada")
    until(lambda: written)

    with nobody_let_in():
        # Who asks first meets it first: the listener, or whoever fetches work.
        until(lambda: re.search("New tasks are not announced|The task queue cannot be read", caplog.text))
    later("tests.write_on_paper", text="Dear Bob")
    until(lambda: len(written) == 2)

    assert worker.is_alive()
    assert written == ["Dear Ada", "Dear Bob"]
    assert [record for record in caplog.records if record.exc_info] == []


def signs_of_life() -> list[datetime]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_heartbeat FROM procrastinate_workers")
        return [at for (at,) in cursor.fetchall()]


def test_a_worker_is_not_taken_for_dead_after_one_sign_of_life_that_failed(
    monkeypatch: pytest.MonkeyPatch, worker: threading.Thread
) -> None:
    failed: list[int] = []
    works = JobManager.update_heartbeat

    async def update_heartbeat(self: JobManager, worker_id: int) -> None:
        if len(failed) < 2:
            failed.append(worker_id)
            raise failing(psycopg.OperationalError("the connection is lost"))
        await works(self, worker_id)

    monkeypatch.setattr(JobManager, "update_heartbeat", update_heartbeat)
    until(lambda: len(failed) == 2)
    before = signs_of_life()
    assert len(before) == 1
    until(lambda: signs_of_life() > before)


def test_a_worker_that_others_took_for_dead_begins_anew(worker: threading.Thread) -> None:
    until(signs_of_life)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")
    later("tests.write_on_paper", text="Dear Ada")
    until(lambda: written)
    assert len(signs_of_life()) == 1
    assert worker.is_alive()


def test_a_worker_that_finds_no_server_at_its_start_says_so_at_once(
    monkeypatch: pytest.MonkeyPatch, asked: threading.Event
) -> None:
    def away() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "ensure_connection", away)
    with pytest.raises(OperationalError, match="connection refused"):
        engine().work(["default"], 1, "", Timing())


def failing(cause: Exception) -> Exception:
    """What procrastinate makes of it."""
    made = ConnectorException("\n    Database error.\n    ")
    made.__cause__ = cause
    return made


def test_a_server_that_is_stopped_is_told_of_in_one_line(
    worker: threading.Thread, caplog: pytest.LogCaptureFixture
) -> None:
    stopped = failing(psycopg.OperationalError("FATAL:  the database\nsystem is shutting down"))
    logging.getLogger("procrastinate.utils").exception("listener error: %r", stopped, exc_info=stopped)
    (record,) = [record for record in caplog.records if record.name == "procrastinate.utils"]
    assert record.getMessage() == (
        "The task queue does not answer, its work waits: FATAL: the database system is shutting down"
    )
    assert record.exc_info is None


@pytest.mark.parametrize("error", [failing(psycopg.ProgrammingError("no such column")), KeyError("job")])
def test_every_other_fault_keeps_its_traceback(
    worker: threading.Thread, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    logging.getLogger("asyncio").error("a task failed", exc_info=error)
    (record,) = [record for record in caplog.records if record.name == "asyncio"]
    assert record.getMessage() == "a task failed"
    assert record.exc_info is not None
    assert record.exc_info[1] is error
