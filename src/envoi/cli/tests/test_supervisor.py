"""Children end with their supervisor: at once while they load, and having finished their work later."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SUPERVISED = """
import os, sys, time, django
django.setup()
from envoi.cli import crew
from envoi.cli.supervisor import Child, Supervisor
from envoi.core.tasks import ending

def load() -> int:
    print(os.getpid(), flush=True)
    time.sleep(60)
    return 0

def work() -> int:
    print(os.getpid(), flush=True)
    ending.wait(60)
    open(sys.argv[2], "w").write("finished")
    return 0

target = {"load": load, "work": crew.asked_to_end(work)}[sys.argv[1]]
supervisor = Supervisor([Child("child", crew.logged(target))], crew.say)
supervisor.start()
while not supervisor.stopping:
    supervisor.tick()
supervisor.stop()
"""


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """Where a child writes that it has finished its work."""
    return tmp_path / "finished"


@pytest.fixture(params=["load", "work"])
def supervised(request: pytest.FixtureRequest, finished: Path) -> Iterator[tuple[str, subprocess.Popen[str], int]]:
    """What the child does, its supervisor and its own number."""
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISED, request.param, str(finished)],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert supervisor.stdout is not None
    yield request.param, supervisor, int(supervisor.stdout.readline().rpartition("│")[2])
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()


def ends(pid: int, seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_a_child_ends_with_its_supervisor_whatever_it_does_then(
    supervised: tuple[str, subprocess.Popen[str], int], finished: Path, how: str
) -> None:
    doing, supervisor, child = supervised
    getattr(supervisor, how)()
    assert ends(child)
    said, _ = supervisor.communicate()
    assert (said, supervisor.returncode) == ("", -9 if how == "kill" else 0)  # nobody needed to be killed
    assert finished.exists() == (doing == "work")
