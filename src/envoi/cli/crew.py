"""The background processes of one machine: scheduler, worker and senders, as children of a supervisor."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from django.db import Error as DatabaseError

from envoi.cli import serving
from envoi.cli.faults import explain
from envoi.cli.supervisor import Child

GRACE = 40.0


def workers() -> list[Child]:
    """Whoever asks for recurring work, and whoever does what is neither sending nor serving."""
    threads, queues = serving.THREADS["worker"], serving.QUEUES["worker"]
    return [
        Child("scheduler", logged(serving.schedule)),
        Child("worker", logged(partial(serving.work, "worker", queues, threads)), grace=GRACE),
    ]


def senders(number: int | None = None) -> list[Child]:
    """So many senders; as many as this process may use cores when nothing is said."""
    threads, queues = serving.THREADS["sender"], serving.QUEUES["sender"]
    names = [f"sender {place}" for place in range(1, (number or cores()) + 1)]
    return [Child(name, logged(partial(serving.work, "sender", queues, threads)), grace=GRACE) for name in names]


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def logged(target: Callable[[], int]) -> Callable[[], int]:
    """`target` as a child: it logs, SIGTERM asks it to end, a database or disk that is away is explained."""

    def run_child() -> int:
        serving.quiet_logs()
        serving.stop_on_signals()
        try:
            return target()
        except (DatabaseError, OSError) as error:
            print(explain(error))
            return 1

    return run_child
