"""Who writes next into a SQLite database, among processes of Envoi that write many times a second.

SQLite has one writer at a time and lets the others sleep 1, 2, 5, 10 … ms before they look again
(sqlite3_busy_timeout); two senders lost a tenth of their time to that. Here they stand at a lock of a file beside the
database and look every fifth of a millisecond. Only courtesy: whoever does not ask, or waits too long, goes by
SQLite's own lock.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import connection

EVERY = 0.0002
# Whoever holds the lock so long stands still, in the middle of a transaction or not.
PATIENCE = 0.5

_open = threading.local()


@contextmanager
def writing_turn() -> Iterator[None]:
    """Around a transaction that writes; does nothing inside of one, in memory, and on other databases."""
    file = None if connection.in_atomic_block else _file()
    if file is None or not _wait_for(file):
        yield
        return
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _wait_for(file: int) -> bool:
    """Whether the lock is ours."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(EVERY)
        except OSError:  # A file system without locks.
            return False
        else:
            return True
    return False


def _file() -> int | None:
    """A handle of this thread's own: one that is inherited or shared would let two in.

    None also where it cannot be had: root may have made the file, where SQLite gives its own files to whoever owns the
    database.
    """
    name = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or not os.path.isabs(name):
        return None
    if getattr(_open, "whose", None) != (os.getpid(), name):
        _open.file = None
        with suppress(OSError):
            _open.file = os.open(f"{name}.turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _open.whose = (os.getpid(), name)
    file: int | None = _open.file
    return file
