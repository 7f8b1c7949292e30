"""Several processes keep the limits of one transport together, on both databases."""

from __future__ import annotations

import json
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.faults.installation import ROOT, Installation, make

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SET_UP = """
import json, sys, django
django.setup()
from datetime import date
from envoi.delivery.models import Mailing
from envoi.delivery.tests.factories import make_identity, make_transport
asked = json.loads(sys.argv[1])
identity = make_identity(make_transport(**asked["transport"]))
for field, value in asked["identity"].items():
    setattr(identity, field, date.fromisoformat(value) if field == "warm_up_from" else value)
identity.save()
for name, priority in asked["mailings"].items():
    Mailing.objects.create(reference=name, composer="test", identity=identity, priority=priority)
"""
TWO = {"ada": 0, "bob": 0}
THREE = {**TWO, "chloe": 0}


class Worker:
    """One process; `ask` and `answer` are apart, so that all of them work at the same time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._into, self._out = process.stdin, process.stdout

    def ready(self) -> None:
        assert self._out.readline() == "ready\n"

    def ask(self, now: datetime, rows: int) -> None:
        self._into.write(json.dumps({"now": now.isoformat(), "rows": rows}) + "\n")
        self._into.flush()

    def answer(self) -> list[float]:
        found: list[float] = json.loads(self._out.readline())
        return found


@contextmanager
def workers(
    installation: Installation, mailings: Mapping[str, int], transport: Mapping[str, Any], **identity: Any
) -> Iterator[list[Worker]]:
    asked = {"mailings": mailings, "transport": transport, "identity": identity}
    installation.run("-c", SET_UP, json.dumps(asked))
    with ExitStack() as stack:
        made = []
        for name in mailings:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.limits.worker", name],
                    env=installation.environment,
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.terminate)
            made.append(Worker(process))
        for one in made:
            one.ready()
        yield made


def slots_of(people: list[Worker], ticks: int, each: timedelta, rows: int) -> list[float]:
    """The moments of all messages in seconds after noon, while everybody asks at every tick."""
    found: list[float] = []
    for tick in range(ticks):
        now = NOON + tick * each
        for one in people:
            one.ask(now, rows)
        for one in people:
            found += [tick * each.total_seconds() + moment for moment in one.answer()]
    return sorted(found)


def counts(slots: list[float], span: float) -> list[int]:
    """How many messages leave in each stretch of `span` seconds that begins with one of them and ends in time."""
    return [bisect_left(slots, first + span - 1e-6) - at for at, first in enumerate(slots) if first + span <= slots[-1]]


@pytest.mark.slow
def test_three_processes_keep_the_rate_in_every_minute(tmp_path: Path) -> None:
    with workers(make(tmp_path), THREE, {"per_second": 50}) as people:
        slots = slots_of(people, ticks=75, each=timedelta(seconds=1), rows=100)

    per_minute = counts(slots, 60)
    assert len(per_minute) > 500
    assert (min(per_minute), max(per_minute)) == (3000, 3000)
    assert set(counts(slots, 1)) == {50}


@pytest.mark.slow
def test_personal_mail_ahead_of_broadcasts_stays_within_two_percent(tmp_path: Path) -> None:
    with workers(make(tmp_path), {**TWO, "personal": 20}, {"per_second": 50}) as people:
        *broadcasts, personal = people
        slots: list[float] = []
        for tick in range(75):
            now = NOON + timedelta(seconds=tick)
            for one in broadcasts:
                one.ask(now, 100)
            slots += [tick + moment for one in broadcasts for moment in one.answer()]
            personal.ask(now + timedelta(milliseconds=500), 10)
            mine = personal.answer()
            # Nobody who waits for a message waits behind a broadcast.
            assert len(mine) == 10
            assert max(mine) < 0.2
            slots += [tick + 0.5 + moment for moment in mine]

    per_minute = counts(sorted(slots), 60)
    assert min(per_minute) >= 3000 * 0.98
    assert max(per_minute) <= 3000 * 1.02


@pytest.mark.parametrize(
    ("transport", "identity"),
    [
        ({"release": "queued", "portion": 500, "portion_minutes": 60}, {}),
        ({}, {"warm_up_from": "2026-11-21", "warm_up_first": 500}),
    ],
    ids=["portion", "warm-up"],
)
def test_two_processes_send_one_portion_together(
    tmp_path: Path, transport: dict[str, Any], identity: dict[str, Any]
) -> None:
    with workers(make(tmp_path), TWO, transport, **identity) as people:
        slots = slots_of(people, ticks=3, each=timedelta(seconds=1), rows=300)

    assert len(slots) == 500
