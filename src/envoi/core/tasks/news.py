"""Whether another process has written something into this SQLite database: cheap enough to ask 25 times a second.

PRAGMA data_version (sqlite.org/pragma.html) compares one number in shared memory; here some 15 µs. Without it an idle
worker would either look for tasks as often, at ten times the price, or let people wait.
"""

from __future__ import annotations

import time

from django.db import connection

from envoi.core.tasks import ending

# Half of this is what a task waits on average; where others write all the time, looking costs more than the wait.
EVERY = 0.04
EVERY_WHEN_BUSY = 0.1


def version() -> int:
    """A number that changes with each commit of others; 0 where the database has no such number."""
    if connection.vendor != "sqlite":
        return 0
    connection.ensure_connection()
    return int(connection.connection.execute("PRAGMA data_version").fetchone()[0])


def wait(seen: int, seconds: float, *, busy: bool = False) -> bool:
    """Wait so long, or until the version is not `seen` any more, or this process is asked to stop.

    Whether there was news. `busy`: there was some before, and it was no task.
    """
    every = EVERY_WHEN_BUSY if busy else EVERY
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if ending.wait(min(left, every) if seen else left):
            return False
        if seen and version() != seen:
            return True
    return False
