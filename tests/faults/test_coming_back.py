"""Whoever takes in reports is killed again and again, or not alone, and each report counts once (F38, F39)."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults import installation
from tests.faults.installation import Installation

pytestmark = pytest.mark.slow

HELPER = ("-m", "tests.faults.coming_back")
TAKING_IN = ("-m", "envoi.cli", "receive-report", "--maildir")
PEOPLE = 150
KILLS = 8


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    return installation.make(tmp_path)


@pytest.mark.fault("F38")
def test_f38_killed_in_the_middle_of_a_mailbox_each_report_is_applied_once(here: Installation) -> None:
    maildir = here.folder / "maildir"
    here.run(*HELPER, "fill", str(maildir), str(PEOPLE))
    interrupted = 0
    for _ in range(KILLS):
        reader = here.start(*TAKING_IN, str(maildir))
        before = left(maildir)
        wait_until_fewer(maildir, before, reader)
        time.sleep(random.uniform(0, 0.05))
        reader.send_signal(signal.SIGKILL)
        reader.wait()
        interrupted += 0 < left(maildir) < before
    assert interrupted >= 3, here.output

    here.run(*TAKING_IN, str(maildir))
    check_each_counted_once(here, maildir)


@pytest.mark.fault("F39")
def test_f39_several_who_empty_one_mailbox_at_once_count_each_report_once(here: Installation) -> None:
    maildir = here.folder / "maildir"
    here.run(*HELPER, "fill", str(maildir), str(PEOPLE))
    readers = [here.start(*TAKING_IN, str(maildir)) for _ in range(3)]
    assert [reader.wait() for reader in readers] == [0, 0, 0], here.output
    check_each_counted_once(here, maildir)


def check_each_counted_once(here: Installation, maildir: Path) -> None:
    now = json.loads(here.run(*HELPER, "standing"))
    assert left(maildir) == 0
    assert now["states"] == now["tallied"] == {"bounced": PEOPLE}
    assert (now["reports"], len(now["suppressed"]), now["kept_aside"]) == (PEOPLE, PEOPLE, 0)


def left(maildir: Path) -> int:
    return len(list((maildir / "new").iterdir()))


def wait_until_fewer(maildir: Path, number: int, reader: subprocess.Popen[str]) -> None:
    while left(maildir) >= number and reader.poll() is None:
        time.sleep(0.005)
