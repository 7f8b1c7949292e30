"""A worker looks after the journals of its machine as long as it lives; whom somebody waits for is ready before."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection

from envoi.cli import serving


def test_journals_are_brought_in_at_once_and_then_again_and_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[object] = []

    def waited(seconds: float) -> bool:
        events.append(seconds)
        return len(events) > 5

    def replayed() -> int:
        events.append("brought in")
        if len(events) == 2:
            raise OperationalError("the server is gone")
        return 0

    monkeypatch.setattr(serving, "ending", SimpleNamespace(wait=waited))
    monkeypatch.setattr(serving, "replay_all", replayed)
    monkeypatch.setattr(serving, "connections", SimpleNamespace(close_all=lambda: None))

    serving.tend_journals()

    every = serving.JOURNALS_EVERY
    assert events == [0.0, "brought in", every, "brought in", every, "brought in", every]
    assert "the server is gone" in caplog.text


WAITING = """
import sys, django
django.setup()
from envoi.cli import serving
class Engine:
    def work(self, *_): print("envoi.console.urls" in sys.modules)
serving.engine, serving.tend_journals = Engine, lambda: None
serving.work(sys.argv[1], (), 1)
"""


@pytest.mark.parametrize(("kind", "ready"), [("personal", "True"), ("sender", "False")])
def test_no_personal_message_waits_until_all_pages_are_loaded(kind: str, ready: str) -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    said = subprocess.run(
        [sys.executable, "-c", WAITING, kind], env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == [ready]


PLACE = """
import os, sys, threading, django
django.setup()
from envoi.cli import serving
def show(): print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0) == os.SCHED_BATCH)
class Engine:
    def work(self, *_):
        thread = threading.Thread(target=show)
        thread.start()
        thread.join()
serving.engine, serving.tend_journals = Engine, lambda: None
os.nice(int(sys.argv[2]))
serving.work(sys.argv[1], (), 1)
"""


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="this system knows no batch work")
@pytest.mark.parametrize(
    ("kind", "nice", "more", "batch"),
    [("sender", 0, 10, True), ("sender", 5, 15, True), ("personal", 0, 0, False), ("worker", 0, 0, False)],
)
def test_who_sends_broadcasts_gives_way_to_all_others(kind: str, nice: int, more: int, batch: bool) -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    said = subprocess.run(
        [sys.executable, "-c", PLACE, kind, str(nice)], env=environment, capture_output=True, text=True, check=True
    )
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert said.stdout.split() == [str(min(19, own + more)), str(batch)]


PAGES = """
import sys, threading, django
django.setup()
from django.db import connection
from envoi.cli import serving
def show():
    with connection.cursor() as cursor:
        print(cursor.execute("PRAGMA cache_size").fetchone()[0])
    connection.close()
class Engine:
    def work(self, *_):
        thread = threading.Thread(target=show)
        thread.start()
        thread.join()
serving.engine, serving.tend_journals = Engine, lambda: None
serving.work(sys.argv[1], (), 1)
"""


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a server keeps its pages itself")
@pytest.mark.parametrize(("kind", "kibibytes"), [("sender", 2000), ("worker", 8000)])
def test_a_sender_keeps_no_more_pages_the_more_recipients_there_are(kind: str, kibibytes: int) -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    said = subprocess.run(
        [sys.executable, "-c", PAGES, kind], env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == [str(-kibibytes)]
