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
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.faults import installation
from tests.faults.installation import Installation
from tests.faults.server import SENDING, End, Server, check, finish, look, serving

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
@pytest.mark.fault("F01")
@pytest.mark.fault("F02")
def test_killed_before_the_dot_costs_nothing(here: Installation, ledger: Path, at: str, after: int) -> None:
    port = kill_when_stuck(here, ledger, at, after)
    assert look(here).states["in_doubt"] > 0
    after_replay = look(here, 0)
    assert set(after_replay.states) <= {"sent", "pending"}
    with serving(ledger, port=port) as server:
        check(finish(here), server, bound=0)
        assert server.accepted.total() == 100


@pytest.mark.fault("F01")
def test_f01_a_hundred_killed_before_they_connected_cost_nobody_anything(here: Installation, ledger: Path) -> None:
    with serving(ledger, {"at": "connect", "do": "hang"}) as server:
        seed(here, server.port, 10_000)
        # Each begins with what the one before had leased: nobody waits for a lease to end.
        left = End(**json.loads(here.run(*SENDING, "die-early", "100")))
        assert left.states["pending"] + left.states["leased"] + left.states["in_doubt"] == 10_000
        assert server.accepted.total() == 0
    with serving(ledger, port=server.port) as server:
        end = finish(here)
        check(end, server, bound=0)
        assert (end.states, server.accepted.total()) == ({"sent": 10_000}, 10_000)


@pytest.mark.fault("F03")
def test_f03_killed_with_half_a_body_on_the_way_costs_nothing(here: Installation, ledger: Path) -> None:
    port = kill_when_stuck(here, ledger, "body", verb="send-big", people=3)
    assert look(here).states == {"in_doubt": 3}
    with serving(ledger, port=port) as server:
        check(finish(here), server, bound=0)


@pytest.mark.fault("F04")
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


@pytest.mark.fault("F05")
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


@pytest.mark.fault("F06")
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
@pytest.mark.fault("F08")
def test_f08_after_a_power_cut_no_more_than_the_window_is_in_doubt(here: Installation, ledger: Path, lost: str) -> None:
    with serving(ledger, patience=0.01) as server:
        kill_in_the_middle(here, server)
        # What the disk had not got: the end of the journal, which nobody waits for, and of what was being committed.
        for journal in (here.folder / "journal").iterdir():
            data = journal.read_bytes()
            kept = waited_for(data)
            if lost == "half":
                kept += (len(data) - kept) // 2
            journal.write_bytes(data[:kept] + b"\0" * (len(data) - kept))
        tear(here, lambda log: log + log[-4120:][: random.randrange(4120)])
        here.run(*SENDING, "lose-power")
        look(here, 2)
        end = finish(here)
        check(end, server, bound=WINDOW)
        assert end.states["unknown"] > 0


@pytest.mark.fault("F08")
def test_f08_a_power_cut_at_full_speed_leaves_a_window_in_doubt_of_all_that_was_handed_over(
    here: Installation, ledger: Path
) -> None:
    with serving(ledger, patience=0.01) as server:
        kill_in_the_middle(here, server, verb="send-ahead", people=600)
        handed_over = look(here).states["in_doubt"]
        for journal in (here.folder / "journal").iterdir():
            journal.write_bytes(journal.read_bytes()[: waited_for(journal.read_bytes())])
        here.run(*SENDING, "lose-power")
        look(here, 2)
        end = finish(here)
        check(end, server, bound=WINDOW)
        assert end.states["unknown"] > 0
        if "ENVOI_DATABASE_URL" not in here.environment:
            # Else the database had kept the window, and this would prove nothing of the journal's.
            assert handed_over > WINDOW


def waited_for(data: bytes) -> int:
    """How much of a journal was surely on the disk: all up to the last window; without any, nothing."""
    last = data.rfind(b"\nWIN ")
    return data.index(b"\n", last + 1) + 1 if last >= 0 else 0


@pytest.mark.parametrize("share", [0.2, 0.7])
@pytest.mark.fault("F08")
def test_f08_with_a_synced_journal_even_a_disk_that_lost_commits_doubles_nobody(
    here: Installation, ledger: Path, share: float
) -> None:
    """SQLite's log is cut off somewhere, which no disk may do that was asked to keep it: the database goes back."""
    here.environment["ENVOI_JOURNAL_SYNC"] = "1"
    with serving(ledger, patience=0.01) as server:
        kill_in_the_middle(here, server)
        (journal,) = (here.folder / "journal").iterdir()
        text = journal.read_text()
        # The dots have waited for the disk; the answers after the last of them have not.
        journal.write_text(text[: text.index("\n", text.rindex("\nDOT ") + 1) + 1])
        tear(here, lambda log: log[: int(len(log) * share)])
        here.run(*SENDING, "lose-power")
        look(here, 2)
        check(finish(here), server, bound=CONNECTIONS)


def kill_in_the_middle(here: Installation, server: Server, *, verb: str = "send", people: int = 300) -> None:
    seed(here, server.port, people)
    sender = here.start(*SENDING, verb)
    server.wait_until(120)
    sender.send_signal(signal.SIGKILL)
    sender.wait()


def tear(here: Installation, torn: Callable[[bytes], bytes]) -> None:
    """What a power cut does to SQLite's log and to its index, which is never on the disk."""
    log = here.folder / "envoi.sqlite3-wal"
    if log.exists():
        log.write_bytes(torn(log.read_bytes()))
        log.with_name("envoi.sqlite3-shm").unlink()
        with closing(sqlite3.connect(here.folder / "envoi.sqlite3")) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.fault("F09")
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
        assert list((here.folder / "journal").glob("*.journal")) == []


@pytest.mark.fault("F10")
@pytest.mark.fault("F13")
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


@pytest.mark.fault("F14")
def test_f14_two_masters_with_eight_senders_each_send_once_each(here: Installation, ledger: Path) -> None:
    with serving(ledger, patience=0.004) as server:
        seed(here, server.port, 3000)
        masters = [here.start(*SENDING, "send-crowded", "8") for _ in range(2)]
        assert [master.wait(timeout=240) for master in masters] == [0, 0]
        end = finish(here)
        check(end, server, bound=0)
        assert server.accepted == Counter(end.rows.keys())


@pytest.mark.fault("F14")
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
