"""The window in the journal: what may have been offered is on the disk before, and is never more than a window."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from envoi.delivery import journal as journals
from envoi.delivery.journal import Journal, Record
from envoi.delivery.machine import boot_id, elapsed
from envoi.delivery.shifts.jobs import Job
from envoi.delivery.shifts.window import HANDED, WINDOW, Reach
from envoi.delivery.smtp import Accepted, FaultKind, NotSent, Phase, Refused
from envoi.delivery.tests.office import Office, line_to, outcomes, row


class Disk:
    """What a power cut would leave: the journal as it was when somebody last waited for the disk."""

    def __init__(self, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
        self.journal, self.waits, self.real = journal, 0, os.fdatasync
        self.kept = journal.path.read_bytes()
        self.full = False
        monkeypatch.setattr(os, "fdatasync", self.wait)

    def wait(self, file: int) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        self.real(file)
        self.waits += 1
        self.kept = self.journal.path.read_bytes()

    def record(self) -> Record:
        found = journals.read(self.kept.rstrip(b"\0").replace(boot_id().encode(), b"another"))
        assert found is not None
        return found

    def in_doubt(self) -> set[int]:
        found = self.record()
        assert found.window is not None
        return set(found.window) - set(found.answers)


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    kept = Journal(tmp_path, "worker", "mailing", keeps_window=True)
    yield kept
    kept.close(keep=True)


@pytest.fixture
def disk(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(journal, monkeypatch)


def jobs(number: int) -> list[Job]:
    return [Job(row(one), "Hi") for one in range(1, number + 1)]


def test_nobody_is_offered_to_the_server_who_is_not_in_the_window_on_the_disk(
    office: Office, journal: Journal, disk: Disk
) -> None:
    doubts: list[int] = []

    def look(recipient: str) -> str:
        in_doubt = disk.in_doubt()
        assert int(recipient[1:]) in in_doubt
        doubts.append(len(in_doubt))
        return ""

    office.at_rcpt = look
    with line_to(office, journal) as line:
        line.put(jobs(600))
        found = outcomes(line, 600)
    assert {type(outcome) for outcome in found.values()} == {Accepted}
    assert len(doubts) == len(office.got) == 600
    assert max(doubts) == WINDOW
    # Each wait for the disk lets most of a window go.
    assert 6 <= disk.waits <= 9


def test_whom_the_server_refused_before_the_dot_no_power_cut_puts_in_doubt(
    office: Office, journal: Journal, disk: Disk
) -> None:
    doubts: list[int] = []

    def refuse(recipient: str) -> str:
        doubts.append(len(disk.in_doubt()))
        return "550 5.1.1 no such user"

    office.at_rcpt = refuse
    with line_to(office, journal) as line:
        line.put(jobs(400))
        found = outcomes(line, 400)
    assert {type(outcome) for outcome in found.values()} == {Refused}
    assert max(doubts) == WINDOW
    record = journals.read(journal.path.read_bytes())
    assert record is not None
    assert (record.window, record.answers, record.dots) == ({}, {}, {})


def test_called_back_the_line_finishes_its_window_and_offers_nothing_else(
    office: Office, journal: Journal, disk: Disk
) -> None:
    office.gate.clear()
    with line_to(office, journal) as line:
        line.put(jobs(300))
        while not journals.read(journal.path.read_bytes()).dots:  # type: ignore[union-attr]
            line.outcomes(0.01, 1)
        line.recall()
        back = outcomes(line, 200)
        office.gate.set()
        found = outcomes(line, 100)
    assert set(back) == set(range(101, 301))
    assert {outcome.error.kind for outcome in back.values()} == {FaultKind.WITHHELD}
    assert {type(outcome) for outcome in found.values()} == {Accepted}
    assert len(office.got) == 100
    assert disk.waits == 1


def test_when_the_disk_cannot_keep_the_window_nobody_is_offered(office: Office, journal: Journal, disk: Disk) -> None:
    disk.full = True
    with line_to(office, journal) as line:
        line.put(jobs(300))
        found = outcomes(line, 300)
    kinds = {(outcome.error.kind, outcome.phase) for outcome in found.values() if isinstance(outcome, NotSent)}
    assert kinds == {(FaultKind.HOOK, Phase.QUEUED)}
    assert office.got == []


def test_a_row_with_a_slot_is_in_the_window_before_its_slot_comes(office: Office, journal: Journal, disk: Disk) -> None:
    from_now = 0.2
    with line_to(office, journal) as line:
        soon = row(1)
        line.put([Job(soon, "Hi", elapsed() + from_now)])
        found = outcomes(line, 1)
    assert isinstance(found[1], Accepted)
    assert disk.waits == 1


def test_where_the_database_keeps_the_window_the_line_waits_for_no_disk(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, "worker", "mailing")
    disk = Disk(journal, monkeypatch)
    with line_to(office, journal) as line:
        line.put(jobs(100))
        line.recall()
        found = outcomes(line, 100)
    assert {type(outcome) for outcome in found.values()} == {Accepted}
    assert disk.waits == 0
    record = journals.read(journal.path.read_bytes())
    assert record is not None
    assert record.window is None
    journal.close(keep=False)


def test_two_leases_in_one_window_are_named_each(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "worker", "mailing", keeps_window=True)
    journal.open_window([(1, 7), (2, 7), (9, 8)])
    journal.untried(2, 7)
    journal.untried(9, 7)
    record = journals.read(journal.path.read_bytes())
    assert record is not None
    assert record.window == {1: 7, 9: 8}
    journal.open_window([(2, 9)])
    record = journals.read(journal.path.read_bytes())
    assert record is not None
    assert record.window == {1: 7, 2: 9, 9: 8}
    journal.close(keep=False)


def test_the_worker_hands_over_as_much_as_its_line_gets_through() -> None:
    reach = Reach(20, in_journal=True)
    assert (reach.most, reach.refill) == (WINDOW, 75)
    reached: list[Any] = []
    for settled in (75, 150, 300, 600, 600, 20, 0, 0, 0):
        reach.follow(settled, limited=False)
        reached.append((reach.most, reach.refill))
    assert reached == [
        (150, 75),
        (300, 150),
        (600, 300),
        (HANDED, 500),
        (HANDED, 500),
        (500, 250),
        (250, 125),
        (125, 62),
        (WINDOW, 75),
    ]
    reach.follow(600, limited=True)
    assert (reach.most, reach.refill) == (WINDOW, 75)


def test_where_the_database_keeps_the_window_no_more_than_that_is_handed_over() -> None:
    reach = Reach(4, in_journal=False)
    reach.follow(600, limited=False)
    assert (reach.most, reach.refill) == (WINDOW, 75)
