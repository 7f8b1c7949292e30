from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from envoi.tracking import spool
from envoi.tracking.spool import Hit

NINE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

WRITER = """
import sys, secrets, time
from django.conf import settings
from pathlib import Path
from envoi.tracking import spool
from envoi.core import clock
settings.ENVOI_DATA = Path(sys.argv[1])
for _ in range(int(sys.argv[2])):
    uid = secrets.token_hex(16)
    spool.append(spool.Hit(uid, "open", 1, None, clock.now()))
    print(uid, flush=True)
    time.sleep(0.0005)
"""
DRAINER = """
import sys, time
from django.conf import settings
from pathlib import Path
from envoi.tracking import spool
settings.ENVOI_DATA = Path(sys.argv[1])
def store(hits):
    print("storing", flush=True)
    time.sleep(600)
spool.drain(store)
"""


def started(program: str, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, str(folder), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
    )


def hit(number: int = 1, **values: object) -> Hit:
    made = Hit(f"{number:032x}", "click", number, 5, NINE, "GET", 'Ünï "quoted"\t\n\\ 📧', "203.0.113.0")
    return replace(made, **values)  # type: ignore[arg-type]


class Taker:
    """A store that keeps what it is given."""

    def __init__(self) -> None:
        self.hits: list[Hit] = []

    def __call__(self, hits: Sequence[Hit]) -> int:
        self.hits += hits
        return len(hits)


def test_a_hit_comes_out_as_it_went_in_once_and_in_order() -> None:
    hits = [hit(1), hit(2, link_id=None, type="open"), hit(3, user_agent="", ip="")]
    for each in hits:
        spool.append(each)
    taker = Taker()
    assert (spool.drain(taker), taker.hits) == (3, hits)
    assert (spool.drain(taker), taker.hits) == (0, hits)
    assert [path.name for path in spool.folder().iterdir()] == ["drain.lock"]


def test_hits_are_given_in_portions() -> None:
    for number in range(spool.CHUNK + 1):
        spool.append(hit(number))
    sizes: list[int] = []

    def measure(hits: Sequence[Hit]) -> int:
        sizes.append(len(hits))
        return len(hits)

    assert spool.drain(measure) == spool.CHUNK + 1
    assert sizes == [spool.CHUNK, 1]


def test_what_could_not_be_stored_stays_for_the_next_time() -> None:
    spool.append(hit(1))

    def away(hits: Sequence[Hit]) -> int:
        raise ConnectionError("the database is away")

    with pytest.raises(ConnectionError):
        spool.drain(away)
    spool.append(hit(2))
    taker = Taker()
    spool.drain(taker)
    assert [each.uid for each in taker.hits] == [hit(1).uid, hit(2).uid]


def test_a_batch_that_no_database_takes_is_put_aside_and_does_not_stop_the_next(own_spool: Path) -> None:
    spool.append(hit(1))

    def refuse(hits: Sequence[Hit]) -> int:
        raise spool.Unstorable("never")

    with pytest.raises(spool.Unstorable):
        spool.drain(refuse)
    spool.append(hit(2))
    taker = Taker()
    spool.drain(taker)
    assert [each.uid for each in taker.hits] == [hit(2).uid]
    assert len(list(own_spool.glob("*.refused"))) == 1


@pytest.mark.fault("F30")
def test_a_line_that_a_full_disk_cut_off_spoils_only_itself(own_spool: Path) -> None:
    spool.append(hit(1))
    with (own_spool / spool.CURRENT).open("ab") as file:
        file.write(hit(2).line()[:40])
    spool.append(hit(3))
    taker = Taker()
    assert spool.drain(taker) == 2
    assert [each.uid for each in taker.hits] == [hit(1).uid, hit(3).uid]


def test_while_one_process_drains_another_leaves_it_alone() -> None:
    spool.append(hit(1))
    inner = Taker()

    def drain_again(hits: Sequence[Hit]) -> int:
        assert spool.drain(inner) == 0
        return len(hits)

    assert spool.drain(drain_again) == 1
    assert inner.hits == []


def test_every_hit_that_was_answered_survives_its_process_being_killed(tmp_path: Path) -> None:
    with started(WRITER, tmp_path, "1000000") as writer:
        assert writer.stdout is not None
        answered = [writer.stdout.readline().strip() for _ in range(500)]
        writer.send_signal(signal.SIGKILL)
        answered += [line.strip() for line in writer.stdout.read().splitlines() if len(line.strip()) == 32]
    taker = Taker()
    spool.drain(taker)
    found = [each.uid for each in taker.hits]
    assert set(answered) <= set(found)
    assert len(found) == len(set(found)) <= len(answered) + 1


def test_a_batch_whose_drainer_was_killed_is_taken_by_the_next(tmp_path: Path) -> None:
    spool.append(hit(1))
    with started(DRAINER, tmp_path) as drainer:
        assert drainer.stdout is not None
        assert drainer.stdout.readline() == "storing\n"
        drainer.send_signal(signal.SIGKILL)
    spool.append(hit(2))
    taker = Taker()
    assert spool.drain(taker) == 2
    assert [each.uid for each in taker.hits] == [hit(1).uid, hit(2).uid]


def test_several_processes_write_while_it_is_drained_and_no_hit_is_lost_or_doubled(tmp_path: Path) -> None:
    writers = [started(WRITER, tmp_path, "1000") for _ in range(3)]
    taker = Taker()
    while any(writer.poll() is None for writer in writers):
        spool.drain(taker)
        time.sleep(0.005)  # else this process keeps the writers from their work
    answered: list[str] = []
    for writer in writers:
        with writer:
            assert writer.stdout is not None
            answered += writer.stdout.read().split()
    spool.drain(taker)
    assert len(answered) == 3000
    assert sorted(each.uid for each in taker.hits) == sorted(answered)
