"""Writers of one SQLite database let each other go first, and never wait for one who stands still."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from envoi.core import writing_turns
from envoi.core.writing_turns import writing_turn


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Our connection, as if the database were a SQLite file."""
    made = SimpleNamespace(vendor="sqlite", settings_dict={"NAME": tmp_path / "envoi.sqlite3"}, in_atomic_block=False)
    monkeypatch.setattr(writing_turns, "connection", made)
    return made


@pytest.fixture
def theirs(ours: SimpleNamespace) -> Iterator[int]:
    """The lock in the hands of another process."""
    handle = os.open(f"{ours.settings_dict['NAME']}.turn", os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    yield handle
    os.close(handle)


def is_free(handle: int) -> bool:
    """Whether the other could have the lock; it is left free then."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(handle, fcntl.LOCK_UN)
    return True


def test_a_writer_waits_until_the_other_is_done(theirs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    def done_after_three(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            fcntl.flock(theirs, fcntl.LOCK_UN)

    monkeypatch.setattr(time, "sleep", done_after_three)
    with writing_turn():
        assert len(waits) == 3
        assert not is_free(theirs)
    assert is_free(theirs)


def test_a_turn_ends_when_the_writing_fails(theirs: int) -> None:
    fcntl.flock(theirs, fcntl.LOCK_UN)
    with pytest.raises(ZeroDivisionError):
        fail(theirs)
    assert is_free(theirs)


def fail(theirs: int) -> None:
    with writing_turn():
        assert not is_free(theirs)
        raise ZeroDivisionError


def test_nobody_waits_for_ever_for_one_who_stands_still(theirs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: len(waits) * 0.2)
    monkeypatch.setattr(time, "sleep", waits.append)
    with writing_turn():
        assert len(waits) == 3


@pytest.mark.parametrize(
    "different",
    [
        {"in_atomic_block": True},
        {"vendor": "postgresql"},
        {"settings_dict": {"NAME": "file:memory?mode=memory&cache=shared"}},
    ],
    ids=["within a transaction", "on PostgreSQL", "in memory"],
)
def test_elsewhere_nobody_waits(
    ours: SimpleNamespace, theirs: int, different: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    vars(ours).update(different)
    monkeypatch.setattr(time, "sleep", waits.append)
    with writing_turn():
        assert waits == []


@pytest.mark.parametrize("refused", ["os.open", "fcntl.flock"])
def test_without_the_file_or_its_lock_the_writing_goes_on(
    ours: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    def refuse(*_args: object) -> None:
        raise PermissionError(13, "made by root")

    monkeypatch.setattr(refused, refuse)
    written = []
    for _ in range(2):
        with writing_turn():
            written.append(ours)
    assert len(written) == 2
