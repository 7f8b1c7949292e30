"""An idle worker on SQLite hears of a commit; what it hears of its own does not count."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from envoi.core.tasks import ending, news


class Database:
    """Stands for Django's connection, on a file that others write into."""

    vendor = "sqlite"

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)

    def ensure_connection(self) -> None:
        pass


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "tasks.sqlite3"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE task (name TEXT)")
    mine = Database(path)
    monkeypatch.setattr(news, "connection", mine)
    yield other
    mine.connection.close()
    other.close()


def test_a_commit_of_somebody_else_is_news(other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = news.version()
    assert news.version() == seen
    waits: list[float] = []

    def write_at_the_third(seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) == 3:
            other.execute("INSERT INTO task VALUES ('dear Ada')")
        return False

    monkeypatch.setattr(ending, "wait", write_at_the_third)
    assert news.wait(seen, 60)
    assert waits == [news.EVERY] * 3


@pytest.fixture
def asked_to_stop(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """This process is asked to stop while it waits for the first time; how long it would have waited."""
    waits: list[float] = []

    def stop(seconds: float) -> bool:
        waits.append(seconds)
        return True

    monkeypatch.setattr(ending, "wait", stop)
    return waits


def test_who_was_woken_in_vain_looks_less_often(other: sqlite3.Connection, asked_to_stop: list[float]) -> None:
    assert not news.wait(news.version(), 60, busy=True)
    assert asked_to_stop == [news.EVERY_WHEN_BUSY]


def test_other_databases_have_no_such_number(monkeypatch: pytest.MonkeyPatch, asked_to_stop: list[float]) -> None:
    class Elsewhere:
        vendor = "postgresql"

    monkeypatch.setattr(news, "connection", Elsewhere())
    assert news.version() == 0
    assert not news.wait(0, 60)
    assert [round(one) for one in asked_to_stop] == [60]
