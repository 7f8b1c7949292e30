"""A program for the fault tests: `ask` asks for a slow task, `work` runs a worker whose leases end soon."""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

import django

django.setup()

from envoi.core.tasks import ending, later, task  # noqa: E402
from envoi.core.tasks.engine import Timing, engine  # noqa: E402

SHORT = Timing(lease=timedelta(seconds=4), heartbeat=timedelta(seconds=1), grace=timedelta(seconds=20))


@task("tests.slow")
def slow(paper: str, seconds: float) -> None:
    """Write when it begins and when it ends, with the worker's pid."""
    with Path(paper).open("a") as file:
        file.write(f"begin {os.getpid()}\n")
        file.flush()
        time.sleep(seconds)
        file.write(f"end {os.getpid()}\n")


def main() -> None:
    match sys.argv[1:]:
        case ["ask", paper, seconds]:
            later("tests.slow", paper=paper, seconds=float(seconds))
        case ["work"]:
            signal.signal(signal.SIGTERM, lambda *_: ending.stop())
            engine().work(["default"], 2, "worker", SHORT)


if __name__ == "__main__":
    main()
