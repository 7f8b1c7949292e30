"""A sender is killed at every point of its work, and nobody is lost, doubled, or in doubt without being named.

The server stands outside Envoi and writes down what it accepted before it answers. F01 and so on: the plan of faults.
"""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.faults import installation
from tests.faults.installation import Installation
from tests.faults.server import SENDING, End, check, finish, look, serving

pytestmark = pytest.mark.slow

PEOPLE = 600
WINDOW = 100
CONNECTIONS = 4


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    return installation.make(tmp_path)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "accepted"


def seed(here: Installation, port: int, people: int) -> None:
    here.run(*SENDING, "seed", str(port), str(people))


def kill_when_stuck(
    here: Installation, ledger: Path, at: str, after: int = 0, *, verb: str = "send", people: int = 100
) -> int:
    """Let a sender run into a server that falls silent at some point, and kill it there; the server's port."""
    with serving(ledger, {"at": at, "do": "hang", "after": after}) as server:
        seed(here, server.port, people)
        sender = here.start(*SENDING, verb)
        server.wait_until_hanging(min(people, CONNECTIONS))
        time.sleep(0.3)
        sender.send_signal(signal.SIGKILL)
        sender.wait()
        return server.port


@pytest.mark.parametrize(
    ("at", "after"),
    [("connect", 0), ("mail", 40), ("data", 40)],
    ids=["F01 before connecting", "F01 between two messages", "F02 between MAIL and DATA"],
)
def test_killed_before_the_dot_costs_nothing(here: Installation, ledger: Path, at: str, after: int) -> None:
    port = kill_when_stuck(here, ledger, at, after)
    assert look(here).states["in_doubt"] > 0
    after_replay = look(here, 0)
    assert set(after_replay.states) <= {"sent", "pending"}
    with serving(ledger, port=port) as server:
        check(finish(here), server, bound=0)
        assert server.accepted.total() == 100


def test_f03_killed_with_half_a_body_on_the_way_costs_nothing(here: Installation, ledger: Path) -> None:
    port = kill_when_stuck(here, ledger, "body", verb="send-big", people=3)
    assert look(here).states == {"in_doubt": 3}
    with serving(ledger, port=port) as server:
        check(finish(here), server, bound=0)


def test_f04_killed_between_dot_and_answer_leaves_those_in_doubt_by_name(here: Installation, ledger: Path) -> None:
    port = kill_when_stuck(here, ledger, "dot", 40)
    with serving(ledger, port=port) as server:
        # The server took them: written down, not answered.
        named = look(here, 0).those("unknown")
        assert len(named) == CONNECTIONS
        assert named <= set(server.accepted)
        end = finish(here)
        check(end, server, bound=CONNECTIONS)
        assert end.those("unknown") == named


def test_f05_killed_with_answers_that_the_database_never_saw(here: Installation, ledger: Path) -> None:
    with serving(ledger) as server:
        seed(here, server.port, 80)
        sender = here.start(*SENDING, "send-forgetful")
        server.wait_until(80)
        time.sleep(0.5)
        sender.send_signal(signal.SIGKILL)
        sender.wait()
        assert look(here).states == {"in_doubt": 80}
        end = look(here, 0)
        check(end, server, bound=0)
        assert (end.mailing, end.states) == ("finished", {"sent": 80})


def test_f06_killed_again_and_again_at_random(here: Installation, ledger: Path) -> None:
    chance, kills = random.Random(6), 4
    with serving(ledger, patience=0.008) as server:
        seed(here, server.port, PEOPLE)
        for kill in range(kills):
            sender = here.start(*SENDING, "send")
            server.wait_until((kill + 1) * 90)
            time.sleep(chance.random() / 50)
            sender.send_signal(signal.SIGKILL)
            sender.wait()
        check(finish(here), server, bound=kills * CONNECTIONS)


@pytest.mark.parametrize("lost", ["all", "half"])
def test_f08_after_a_power_cut_no_more_than_the_window_is_in_doubt(here: Installation, ledger: Path, lost: str) -> None:
    with serving(ledger, patience=0.01) as server:
        seed(here, server.port, 300)
        sender = here.start(*SENDING, "send")
        server.wait_until(120)
        sender.send_signal(signal.SIGKILL)
        sender.wait()
        # What the disk had not got: the end of the journal, which nobody waits for.
        for journal in (here.folder / "journal").iterdir():
            data = journal.read_bytes()
            journal.write_bytes(b"" if lost == "all" else data[: len(data) // 2] + b"\0" * (len(data) // 2))
        here.run(*SENDING, "lose-power")
        look(here, 2)
        end = finish(here)
        check(end, server, bound=WINDOW)
        assert end.states["unknown"] > 0


def test_f09_asked_to_stop_it_finishes_what_is_on_its_way(here: Installation, ledger: Path) -> None:
    with serving(ledger, patience=0.02) as server:
        seed(here, server.port, 300)
        sender = here.start(*SENDING, "send-until-told")
        server.wait_until(60)
        sender.terminate()
        assert sender.wait(15) == 0
        end = look(here)
        assert set(end.states) == {"sent", "pending"}
        assert end.those("sent") == set(server.accepted)
        assert list((here.folder / "journal").iterdir()) == []


def test_f10_a_database_that_goes_away_five_times_costs_no_answer(here: Installation, ledger: Path) -> None:
    with serving(ledger, patience=0.02) as server:
        seed(here, server.port, PEOPLE)
        sender = here.start(*SENDING, "send")
        for time_ in range(5):
            server.wait_until(40 + time_ * 90)
            interrupt_database(here)
        sender.wait(60)
        check(finish(here), server, bound=0)


def interrupt_database(here: Installation) -> None:
    """PostgreSQL loses every connection; SQLite, which cannot go away, is locked by somebody else for a while."""
    url = here.environment.get("ENVOI_DATABASE_URL")
    if url:
        with psycopg.connect(url, autocommit=True) as judge:
            judge.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        return
    with closing(sqlite3.connect(here.folder / "envoi.sqlite3", timeout=20, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        time.sleep(0.7)
        other.execute("ROLLBACK")


def test_f14_two_workers_in_one_mailing_send_once_each(here: Installation, ledger: Path) -> None:
    with serving(ledger, patience=0.004) as server:
        seed(here, server.port, PEOPLE)
        workers = [here.start(*SENDING, "send-crowded") for _ in range(2)]
        assert [worker.wait(timeout=60) for worker in workers] == [0, 0]
        end = look(here)
        check(end, server, bound=0)
        assert end.tallied == {"sent": PEOPLE}
        assert server.accepted == Counter(end.rows.keys())


def test_a_worker_that_stood_still_longer_than_its_lease_neither_sends_nor_writes(
    here: Installation, ledger: Path
) -> None:
    with serving(ledger, patience=0.02) as server:
        seed(here, server.port, 300)
        sender = here.start(*SENDING, "send")
        server.wait_until(60)
        sender.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        # Two minutes later by the clock of the others: its rows are theirs, and its window is in doubt.
        before, after = (End(**one) for one in json.loads(here.run(*SENDING, "look", "2")))
        assert 0 < before.states["in_doubt"] <= WINDOW
        assert after.states["leased"] == after.states["in_doubt"] == 0
        here.start(*SENDING, "send").wait(60)
        assert look(here).mailing == "finished"
        sent = server.accepted
        sender.send_signal(signal.SIGCONT)
        assert sender.wait(60) == 0
        look(here, 0)
        # What it had offered before it stood still it knows the end of, and says so; what it had not, it gave back.
        check(finish(here), server, bound=0)
        assert sent <= server.accepted
