"""The journal: what is in the file after a crash at any point, and what a reader may conclude from it."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from envoi.delivery import journal
from envoi.delivery.journal import Journal, Record
from envoi.delivery.machine import boot_id, machine_key
from envoi.delivery.smtp import Reply

WORKER = "host:0123abcd:7:0123456789ab"
TAKEN = Reply(250, "2.0.0", "Taken as 7")


def record_of(path: Path) -> Record:
    record = journal.read(path.read_bytes())
    assert record is not None
    return record


def test_a_dot_is_in_the_file_before_it_is_sent_and_an_answer_as_soon_as_it_came(tmp_path: Path) -> None:
    kept = Journal(tmp_path, WORKER, "m1")
    kept.dot(1, 1)
    assert record_of(kept.path) == Record(WORKER, "m1", True, {1: 1}, {})
    kept.answer(1, 1, TAKEN)
    kept.answer(2, 4, Reply(550, "", "No\nsuch  user"))
    found = record_of(kept.path)
    assert found == Record(WORKER, "m1", True, {1: 1}, {1: (1, TAKEN), 2: (4, Reply(550, "", "No such user"))})
    kept.close(keep=True)


def test_what_is_kept_ends_with_the_last_line(tmp_path: Path) -> None:
    kept = Journal(tmp_path, WORKER, "m1")
    kept.answer(1, 1, TAKEN)
    kept.close(keep=True)
    assert kept.path.read_bytes().endswith(b"\n250 1 1 2.0.0 Taken as 7\n")


def test_a_long_journal_takes_more_room_and_loses_nothing(tmp_path: Path) -> None:
    kept = Journal(tmp_path, WORKER, "m1")
    for row in range(20_000):
        kept.dot(row, 3)
        kept.answer(row, 3, TAKEN)
    assert kept.path.stat().st_size > 4 * journal.FIRST_ROOM
    found = record_of(kept.path)
    assert found.dots == dict.fromkeys(range(20_000), 3)
    assert found.answers == dict.fromkeys(range(20_000), (3, TAKEN))
    kept.close(keep=False)


def test_a_killed_worker_leaves_all_it_wrote(tmp_path: Path) -> None:
    inherited = os.fork()
    if not inherited:
        try:
            kept = Journal(tmp_path, WORKER, "m1")
            kept.dot(1, 1)
            kept.answer(1, 1, TAKEN)
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(inherited, 0)[1]) == -signal.SIGKILL
    (path,) = tmp_path.iterdir()
    with journal.abandoned(path) as data:
        assert data is not None
        assert journal.read(data) == Record(WORKER, "m1", True, {1: 1}, {1: (1, TAKEN)})


def test_a_journal_that_is_written_down_leaves_no_file(tmp_path: Path) -> None:
    kept = Journal(tmp_path, WORKER, "m1")
    kept.dot(1, 1)
    kept.close(keep=False)
    assert list(tmp_path.iterdir()) == []


def test_nobody_reads_the_journal_of_a_worker_that_lives(tmp_path: Path) -> None:
    kept = Journal(tmp_path, WORKER, "m1")
    with journal.abandoned(kept.path) as data:
        assert data is None
    kept.close(keep=True)
    with journal.abandoned(kept.path) as data:
        assert data is not None
        with journal.abandoned(kept.path) as second:
            assert second is None
    with journal.abandoned(tmp_path / "gone.journal") as data:
        assert data is None


def test_a_journal_of_another_run_of_the_machine_is_complete_only_if_each_line_waited_for_the_disk(
    tmp_path: Path,
) -> None:
    for synced in (False, True):
        kept = Journal(tmp_path, WORKER, "m1", synced=synced)
        data = kept.path.read_bytes()
        kept.close(keep=False)
        assert journal.read(data) == Record(WORKER, "m1", True)
        assert journal.read(data.replace(boot_id().encode(), b"another")) == Record(WORKER, "m1", synced)


def test_lines_that_a_power_cut_tore_say_nothing(tmp_path: Path) -> None:
    kept = Journal(tmp_path, WORKER, "m1")
    kept.dot(11, 1)
    kept.dot(12, 1)
    whole = kept.path.read_bytes().rstrip(b"\0")
    kept.close(keep=False)
    assert journal.read(whole[:-2]) == Record(WORKER, "m1", True, {11: 1})
    torn = whole[: whole.index(b"DOT 12")]
    for zeros in (torn.replace(b"DOT 11 1\n", b"\0" * 9), torn.replace(b"DOT 11 1\n", b"\0\0\0 11 1\n")):
        assert journal.read(zeros) == Record(WORKER, "m1", True)
    answered = torn + b"250 11 1 2.0.0 Ta\0\0\0\0\n"
    assert journal.read(answered) == Record(WORKER, "m1", True, {11: 1})
    assert journal.read(whole[:20]) is None
    assert journal.read(b"") is None


def test_a_second_dot_of_a_row_makes_the_answer_to_the_first_void(tmp_path: Path) -> None:
    kept = Journal(tmp_path, WORKER, "m1")
    kept.dot(1, 1)
    kept.answer(1, 1, Reply(451, "", "Later"))
    kept.dot(1, 2)
    assert record_of(kept.path) == Record(WORKER, "m1", True, {1: 2}, {})
    kept.close(keep=False)


def test_when_the_disk_is_full_the_dot_must_not_follow_and_the_file_stays_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "FIRST_ROOM", 256)
    kept = Journal(tmp_path, WORKER, "m1")
    kept.dot(1, 1)
    with no_room_beyond(256):
        for _ in range(20):
            kept.answer(1, 1, TAKEN)
        with pytest.raises(OSError, match="File too large"):
            kept.dot(2, 1)
        kept.answer(3, 1, TAKEN)
        with pytest.raises(OSError, match="File too large"):
            kept.dot(2, 1)
    assert record_of(kept.path).dots == {1: 1}
    kept.dot(4, 1)
    found = record_of(kept.path)
    assert found == Record(WORKER, "m1", True, {1: 1, 4: 1}, {1: (1, TAKEN), 3: (1, TAKEN)})
    kept.close(keep=False)


def test_an_answer_that_found_no_room_is_written_when_the_journal_is_left_to_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "FIRST_ROOM", 200)
    kept = Journal(tmp_path, WORKER, "m1")
    with no_room_beyond(200):
        for row in range(10):
            kept.answer(row, 1, TAKEN)
    kept.close(keep=True)
    assert set(record_of(kept.path).answers) == set(range(10))


@contextmanager
def no_room_beyond(size: int) -> Iterator[None]:
    """The kernel refuses larger files, as it does when the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_machine_keeps_its_name(tmp_path: Path) -> None:
    first = machine_key(tmp_path)
    assert len(first) == 8
    assert machine_key(tmp_path) == first
    assert [path.name for path in tmp_path.iterdir()] == ["machine.id"]


def test_a_journal_put_aside_lies_there_from_now_on(tmp_path: Path) -> None:
    kept = Journal(tmp_path, "host:1", "m1")
    os.utime(kept.path, (0, 0))
    kept.close(keep=False, aside=True)
    (aside,) = tmp_path.iterdir()
    assert aside.suffix == ".done"
    assert aside.stat().st_mtime > 0
