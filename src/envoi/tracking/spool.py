"""Where hits wait for the database: a file of this machine. No reader waits for a database, no kill loses a hit.

Guarantee: a hit is one write to the end of `hits.log` before its reader is answered; it leaves the spool only after
`drain` was told that it is stored. A kill may come between storing and leaving: each hit carries a `uid`, so that
storing it again is nothing. Any number of processes and threads may write and drain; one at a time drains.

How a batch is taken: the file is renamed, then locked exclusively (flock(2)). A writer locks it shared for its one
write, and looks whether the file it locked is still the one with the name; so no writer can write behind the reader's
back. Locks end with their process. A power cut may lose the last seconds: nothing is forced to the disk per hit.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

CURRENT = "hits.log"
TAKEN = ".taken"
REFUSED = ".refused"
CHUNK = 500
LONGEST_AGENT = 300


@dataclass(frozen=True, slots=True)
class Hit:
    """One request of a message's pixel or link.

    Attributes:
        uid: 32 hexadecimal characters of its own.
        type: an `Activity.Type`: "open" or "click".
        link_id: of the tracked link, None for an open.
        method: "GET" or "HEAD".
        ip: the network the request came from (`automated.network`), "" when unknown.
    """

    uid: str
    type: str
    delivery_id: int
    link_id: int | None
    at: datetime
    method: str = "GET"
    user_agent: str = ""
    ip: str = ""

    def line(self) -> bytes:
        """The hit as one line of JSON, with a line end before it too: what a full disk cut off spoils only itself."""
        values = [self.uid, self.type, self.delivery_id, self.link_id, self.at.isoformat(), self.method]
        return b"\n%s\n" % json.dumps([*values, self.user_agent, self.ip]).encode()

    @classmethod
    def read(cls, line: bytes) -> Hit | None:
        """The hit of a line, or None of a line that was cut off."""
        try:
            uid, type_, delivery_id, link_id, at, method, user_agent, ip = json.loads(line)
            return cls(uid, type_, delivery_id, link_id, datetime.fromisoformat(at), method, user_agent, ip)
        except (ValueError, TypeError):
            return None


class Unstorable(Exception):
    """A batch can never be stored as it is; the spool puts it aside instead of stopping for it."""


def folder() -> Path:
    """The spool's folder in the data folder, made when missing."""
    found = Path(settings.ENVOI_DATA) / "spool"
    found.mkdir(mode=0o700, exist_ok=True)
    return found


def append(hit: Hit) -> None:
    """Put a hit at the end of the spool.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    line, path = hit.line(), folder() / CURRENT
    while True:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            if _still_named(descriptor, path):
                os.write(descriptor, line)
                return
        finally:
            os.close(descriptor)


def drain(store: Callable[[Sequence[Hit]], int]) -> int:
    """Give all waiting hits to `store`, at most `CHUNK` at a time, and forget what it took.

    Args:
        store: stores hits durably before it returns, and says how many were new. Any exception but `Unstorable` leaves
            the batch in the spool for the next time.

    Returns:
        The hits that were new; 0 when another process drains at this moment.
    """
    stored = 0
    with _only_one(folder() / "drain.lock") as alone:
        if alone:
            for path in _take():
                stored += _drain_file(path, store)
    return stored


def _drain_file(path: Path, store: Callable[[Sequence[Hit]], int]) -> int:
    stored = 0
    try:
        for chunk in _chunks(path):
            stored += store(chunk)
    except Unstorable:
        path.rename(path.with_suffix(REFUSED))
        raise
    path.unlink()
    return stored


def _take() -> list[Path]:
    """The files to store: those a killed process left, and what was written since."""
    current = folder() / CURRENT
    if current.exists():
        current.rename(current.with_name(f"{secrets.token_hex(8)}{TAKEN}"))
    return sorted(folder().glob(f"*{TAKEN}"), key=lambda path: path.stat().st_mtime_ns)


def _chunks(path: Path) -> Iterator[list[Hit]]:
    with path.open("rb") as file:
        # Waits for the writers that opened the file before it was renamed.
        fcntl.flock(file, fcntl.LOCK_EX)
        chunk: list[Hit] = []
        for line in file:
            hit = Hit.read(line)
            if hit is not None:
                chunk.append(hit)
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk


def _still_named(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def _only_one(path: Path) -> Iterator[bool]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)
