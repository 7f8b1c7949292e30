"""The line between worker and server: each job has one outcome, and what must not be offered is not."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from envoi.delivery import journal as journals
from envoi.delivery.composers import Leased, Message, RenderProblem
from envoi.delivery.journal import Journal
from envoi.delivery.machine import elapsed
from envoi.delivery.shifts.jobs import ComposeFailed, Job
from envoi.delivery.shifts.line import FRESH, Line
from envoi.delivery.smtp import Accepted, FaultKind, NotSent, Phase, Refused, Security, SmtpSettings
from envoi.delivery.smtp.tests.scripted import QUICK
from envoi.delivery.tests.office import Office, dots, line_to, outcomes, row, written


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    kept = Journal(tmp_path, "worker", "mailing")
    yield kept
    kept.close(keep=True)


def test_every_job_is_written_sent_and_noted_once(office: Office, journal: Journal) -> None:
    with line_to(office, journal) as line:
        line.put([Job(row(number), "Hi") for number in range(1, 121)])
        found = outcomes(line, 120)
    assert {type(outcome) for outcome in found.values()} == {Accepted}
    assert office.got == [f"p{number}" for number in range(1, 121)]
    record = journals.read(journal.path.read_bytes())
    assert record is not None
    assert record.dots == dict.fromkeys(range(1, 121), 7)
    assert {number: (epoch, reply.code) for number, (epoch, reply) in record.answers.items()} == dict.fromkeys(
        range(1, 121), (7, 250)
    )


def test_a_line_that_is_over_keeps_nothing_of_what_it_composed_with(office: Office, journal: Journal) -> None:
    def write(leased: Leased, loaded: Any) -> Message | RenderProblem:
        return written(leased, loaded)

    kept = weakref.ref(write)
    gc.collect()
    gc.disable()
    try:
        with line_to(office, journal, write) as line:
            line.put([Job(row(number), "Hi") for number in range(120)])
            outcomes(line, 120)
        del line, write
        assert kept() is None
    finally:
        gc.enable()


def test_no_more_outcomes_are_given_than_asked_for_and_none_is_lost(office: Office, journal: Journal) -> None:
    with line_to(office, journal) as line:
        line.put([Job(row(number), "Hi") for number in range(60)])
        sizes: list[int] = []
        while sum(sizes) < 60:
            sizes.append(len(line.outcomes(1.0, 7)))
    assert max(sizes) == 7
    assert sum(sizes) == 60


def test_the_last_outcome_does_not_wait_for_a_handful(office: Office, journal: Journal) -> None:
    with line_to(office, journal) as line:
        line.put([Job(row(1), "Hi")])
        (settled,) = line.outcomes(5.0, 10)
    assert settled[0].id == 1


def test_a_job_is_not_offered_before_its_slot_and_the_earliest_slot_goes_first(
    office: Office, journal: Journal
) -> None:
    now = elapsed()
    with line_to(office, journal) as line:
        line.put([Job(row(1), "Hi", now + 0.3), Job(row(2), "Hi", now + 0.1), Job(row(3), "Hi")])
        outcomes(line, 3)
        assert elapsed() >= now + 0.3
    assert office.got == ["p3", "p2", "p1"]


def test_what_cannot_be_rendered_is_told_and_the_rest_goes_on(office: Office, journal: Journal) -> None:
    def write(leased: Leased, loaded: Any) -> Message | RenderProblem:
        return RenderProblem("no city") if leased.id == 2 else written(leased, loaded)

    with line_to(office, journal, write) as line:
        line.put([Job(row(number), "Hi") for number in (1, 2, 3)])
        found = outcomes(line, 3)
    assert found[2] == RenderProblem("no city")
    assert office.got == ["p1", "p3"]
    assert dots(journal) == {1: 7, 3: 7}


def test_after_a_fault_in_composing_nothing_more_is_offered(office: Office, journal: Journal) -> None:
    def write(leased: Leased, loaded: Any) -> Message | RenderProblem:
        return written(leased, loaded) if leased.id < 3 else Message("", loaded / 0)

    with line_to(office, journal, write) as line:
        line.put([Job(row(number), 1) for number in range(1, 31)])
        found = outcomes(line, 30)
    assert office.got == ["p1", "p2"]
    failed = found.pop(3)
    assert isinstance(failed, ComposeFailed)
    assert isinstance(failed.error, ZeroDivisionError)
    assert {outcome.error.kind for number, outcome in found.items() if number > 3} == {FaultKind.WITHHELD}


def test_what_was_taken_back_is_not_offered(office: Office, journal: Journal) -> None:
    office.gate.clear()
    with line_to(office, journal) as line:
        line.put([Job(row(number), "Hi") for number in (1, 2, 3, 4)])
        while not dots(journal):
            line.outcomes(0.01, 1)
        line.take_back([3])
        office.gate.set()
        found = outcomes(line, 4)
    assert office.got == ["p1", "p2", "p4"]
    assert isinstance(found[3], NotSent)
    assert found[3].error.kind is FaultKind.WITHHELD


def test_holding_gives_back_at_once_what_waits_and_finishes_what_is_on_its_way(
    office: Office, journal: Journal
) -> None:
    office.gate.clear()
    with line_to(office, journal) as line:
        line.put([Job(row(number), "Hi", elapsed() + 60 if number > 8 else 0) for number in range(1, 11)])
        while not dots(journal):
            line.outcomes(0.01, 1)
        line.hold()
        back = outcomes(line, 8)
        office.gate.set()
        found = outcomes(line, 2)
        line.put([Job(row(11), "Hi")])
        assert outcomes(line, 1)[11].error.kind is FaultKind.WITHHELD
    assert {outcome.error.kind for outcome in back.values()} == {FaultKind.WITHHELD}
    assert {type(outcome) for outcome in found.values()} == {Accepted}
    assert office.got == ["p1", "p2"]


def test_without_a_lease_nothing_is_offered(office: Office, journal: Journal) -> None:
    with line_to(office, journal) as line:
        line.lease_until(elapsed() - 1)
        line.put([Job(row(1), "Hi")])
        found = outcomes(line, 1)
    assert (found[1].error.kind, found[1].phase) == (FaultKind.WITHHELD, Phase.QUEUED)
    assert office.got == []


def test_a_lease_that_ends_within_the_body_keeps_the_dot_back(office: Office, journal: Journal) -> None:
    with line_to(office, journal) as line:

        def at_rcpt(recipient: str) -> str:
            line.lease_until(elapsed() - 1)
            return ""

        office.at_rcpt = at_rcpt
        line.put([Job(row(1), "Hi")])
        found = outcomes(line, 1)
    assert (found[1].error.kind, found[1].phase) == (FaultKind.WITHHELD, Phase.BODY)
    assert office.got == []
    assert dots(journal) == {}


def test_what_is_taken_back_within_the_body_does_not_get_its_dot_though_other_leases_last(
    office: Office, journal: Journal
) -> None:
    with line_to(office, journal) as line:

        def at_rcpt(recipient: str) -> str:
            line.take_back([1])
            return ""

        office.at_rcpt = at_rcpt
        line.put([Job(row(1), "Hi"), Job(row(2), "Hi")])
        found = outcomes(line, 2)
    assert (found[1].error.kind, found[1].phase) == (FaultKind.WITHHELD, Phase.BODY)
    assert isinstance(found[2], Accepted)
    assert office.got == ["p2"]
    assert dots(journal) == {2: 7}


def test_the_line_stands_while_nobody_has_looked_who_must_not_be_written_to(office: Office, journal: Journal) -> None:
    with line_to(office, journal) as line:

        def at_rcpt(recipient: str) -> str:
            if recipient == "p2":
                line.looked(elapsed() - FRESH)
            return ""

        office.at_rcpt = at_rcpt
        line.put([Job(row(number), "Hi") for number in (1, 2, 3, 4)])
        outcomes(line, 2)
        assert line.outcomes(0.2, 10) == []
        assert office.got == ["p1", "p2"]
        line.take_back([3])
        line.looked(elapsed() + 60)
        found = outcomes(line, 2)
    assert office.got == ["p1", "p2", "p4"]
    assert found[3].error.kind is FaultKind.WITHHELD


def test_leaving_finishes_what_is_on_its_way_and_answers_the_rest(office: Office, journal: Journal) -> None:
    office.gate.clear()
    with line_to(office, journal) as line:
        line.put([Job(row(number), "Hi", elapsed() + 60 if number > 3 else 0) for number in (1, 2, 3, 4)])
        while not dots(journal):
            line.outcomes(0.01, 1)
        threading.Timer(0.1, office.gate.set).start()
    line.hold()
    found = outcomes(line, 4)
    assert office.got == ["p1", "p2"]
    assert [type(found[number]) for number in (1, 2, 3, 4)] == [Accepted, Accepted, NotSent, NotSent]


def test_a_relay_that_is_away_settles_all_that_wait(journal: Journal) -> None:
    settings = SmtpSettings("127.0.0.1", 1, Security.NONE, timeouts=QUICK)
    with Line(settings, 3, 100, journal, written) as line:
        line.lease_until(elapsed() + 60)
        line.looked(elapsed() + 60)
        line.put([Job(row(number), "Hi") for number in range(40)])
        found = outcomes(line, 40)
    assert {(outcome.error.kind, outcome.phase) for outcome in found.values()} == {
        (FaultKind.UNREACHABLE, Phase.CONNECT)
    }
    assert dots(journal) == {}


def test_an_address_that_the_server_cannot_take_is_refused_without_asking(office: Office, journal: Journal) -> None:
    with line_to(office, journal) as line:
        line.put([Job(row(1)._replace(address="åsa@example.net"), "Hi"), Job(row(2), "Hi")])
        found = outcomes(line, 2)
    assert isinstance(found[1], Refused)
    assert found[1].reply.status == "5.6.7"
    assert office.got == ["p2"]
