"""The background processes of one machine, as children of a supervisor.

A scheduler asks for recurring work, a worker does what is neither sending nor serving, senders send broadcasts, and one
process sends what people wait for, so that no broadcast and no import stands in its way. Senders give way to the rest.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial

from django.db import Error as DatabaseError

from envoi.cli import serving
from envoi.cli.faults import explain
from envoi.cli.supervisor import Child

GRACE = 40.0
NAMES = 9


def children(
    queues: Sequence[str] = ("default", "sending"), senders: int | None = None, threads: int | None = None
) -> list[Child]:
    """Those who work off these queues, in the order in which they are stopped.

    Args:
        senders: how many send broadcasts; when nothing is said, one more than this process may use cores, since each
            waits for the database or for answers a part of its time (on SQLite 4 to 11 % faster than without that one).
        threads: tasks at once that are not sending.
    """
    found = [worker("worker", threads)] if "default" in queues else []
    if "sending" in queues:
        found.append(worker("personal"))
        found += [worker("sender", place=place) for place in range(1, (senders or cores() + 1) + 1)]
    return found


def scheduler() -> Child:
    """Whoever asks for recurring work. Any number may run: each piece of work is asked for once per interval."""
    return Child("scheduler", logged(asked_to_end(serving.schedule)))


def worker(kind: str, threads: int | None = None, place: int = 0) -> Child:
    """One process that works off the queue of its kind; `place` tells those of one kind apart."""
    target = partial(serving.work, kind, serving.QUEUES[kind], threads or serving.THREADS[kind])
    return Child(f"{kind} {place}" if place else kind, logged(asked_to_end(target)), grace=GRACE)


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def at_least_one(text: str) -> int:
    """For arguments of the command line."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"“{text}” is no number from 1 on")
    return int(text)


def say(name: str, line: str) -> None:
    """One line of a child, with its name before it."""
    sys.stdout.write(f"{name:{NAMES}} │ {line}\n")
    sys.stdout.flush()


def logged(target: Callable[[], int]) -> Callable[[], int]:
    """`target` as a child: it logs, a database or disk that is away is explained.

    SIGTERM ends it at once until it sees to signals itself: if its supervisor is killed while it still loads, nobody
    asks a second time.
    """

    def run_child() -> int:
        serving.quiet_logs()
        try:
            return target()
        except (DatabaseError, OSError) as error:
            print(explain(error))
            return 1

    return run_child


def asked_to_end(target: Callable[[], int]) -> Callable[[], int]:
    """`target`, which looks at `ending`: SIGTERM asks it to finish what is in flight."""

    def run_until_asked() -> int:
        serving.stop_on_signals()
        return target()

    return run_until_asked
