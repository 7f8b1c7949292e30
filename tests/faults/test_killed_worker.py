"""A worker dies in the middle of a task: real processes, real signals, both engines."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults.installation import Installation, make

PROGRAM = "tests/faults/slow_task.py"


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return make(tmp_path)


def wait_for(paper: Path, word: str, seconds: float) -> list[str]:
    """The words of the lines of `paper` once there are as many as asked for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        lines = paper.read_text().splitlines() if paper.exists() else []
        if any(line.startswith(word) for line in lines):
            return lines
        time.sleep(0.05)
    raise AssertionError(f"no “{word}” within {seconds} s: {paper.read_text() if paper.exists() else 'nothing'}")


@pytest.mark.slow
def test_the_task_of_a_killed_worker_runs_again_by_itself(installation: Installation) -> None:
    paper = installation.folder / "paper"
    installation.run(PROGRAM, "ask", str(paper), "3")
    first = installation.start(PROGRAM, "work")
    wait_for(paper, "begin", 120)
    first.kill()
    first.wait()

    second = installation.start(PROGRAM, "work")
    try:
        lines = wait_for(paper, "end", 180)
        assert lines == [f"begin {first.pid}", f"begin {second.pid}", f"end {second.pid}"]
    finally:
        second.terminate()
        assert second.wait(30) == 0


@pytest.mark.slow
def test_a_task_longer_than_the_lease_runs_once_while_its_worker_lives(installation: Installation) -> None:
    paper = installation.folder / "paper"
    installation.run(PROGRAM, "ask", str(paper), "7")
    workers = [installation.start(PROGRAM, "work") for _ in range(2)]
    try:
        lines = wait_for(paper, "end", 180)
        assert [line.partition(" ")[0] for line in lines] == ["begin", "end"]
    finally:
        for worker in workers:
            worker.terminate()
        assert [worker.wait(30) for worker in workers] == [0, 0]


@pytest.mark.slow
def test_a_worker_that_is_asked_to_stop_ends_its_task_first(installation: Installation) -> None:
    paper = installation.folder / "paper"
    installation.run(PROGRAM, "ask", str(paper), "2")
    worker = installation.start(PROGRAM, "work")
    wait_for(paper, "begin", 120)
    worker.terminate()
    assert worker.wait(30) == 0
    assert paper.read_text().splitlines() == [f"begin {worker.pid}", f"end {worker.pid}"]
