"""What a worker offered to the server and what it answered, message by message, in a file that outlives the process.

    envoi-journal 1 boot=… synced=0 worker=… mailing=… began=1772352000.123
    DOT 4711 1                   before the final dot of row 4711 under its lease number 1
    250 4711 1 2.0.0 Taken as 7  right after the answer

Guarantees: the line of a dot has been given to the kernel before the dot is; an answer follows at the latest when the
event loop has read what arrived with it. A plain write survives a killed process but not a power cut; with `synced`
each dot waits for the disk as well. A file whose writer lives is locked, so nobody else reads it. Disk full: the dot is
not sent. No Django here.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from envoi.core import clock
from envoi.delivery.machine import boot_id
from envoi.delivery.smtp import Reply

ENDING, FRESH, DONE = ".journal", ".new", ".done"
LONGEST_TEXT = 400
_HEAD = re.compile(r"envoi-journal 1 boot=(\S+) synced=([01]) worker=(\S+) mailing=(\S+)(?: began=([\d.]+))?")
_DOT = re.compile(r"DOT (\d+) (\d+)")
_ANSWER = re.compile(r"(\d{3}) (\d+) (\d+) ([245]\.\d{1,3}\.\d{1,3}|-) ?(.*)")


class Journal:
    """The journal of one shift. Belongs to one thread at a time.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, folder: Path, worker: str, mailing: str, *, synced: bool = False) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / f"{secrets.token_hex(8)}{ENDING}"
        self._synced = synced
        self._size = 0
        self._answers: list[str] = []
        # Under another name until it is locked and begun, so that nobody takes it for that of a dead worker.
        fresh = self.path.with_suffix(FRESH)
        self._file = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            who = f"worker={worker} mailing={mailing} began={clock.now().timestamp():.3f}"
            self._write(f"envoi-journal 1 boot={boot_id()} synced={synced:d} {who}\n")
            fresh.rename(self.path)
            if synced:
                os.fsync(self._file)
                _sync_folder(folder)
        except OSError:
            os.close(self._file)
            fresh.unlink(missing_ok=True)
            raise

    def dot(self, row: int, epoch: int) -> None:
        """Say that the final dot of this row follows; answers that wait go along in the same write.

        Raises:
            OSError: it could not be written; the dot must not follow.
        """
        self._answers.append(f"DOT {row} {epoch}\n")
        try:
            self._write("".join(self._answers))
        except OSError:
            self._answers.pop()
            raise
        self._answers.clear()
        if self._synced:
            os.fdatasync(self._file)

    def answer(self, row: int, epoch: int, reply: Reply) -> bool:
        """Note the answer to a dot, written with the next dot or `flush`; whether it is the first to wait for that."""
        text = " ".join(reply.text.split())[:LONGEST_TEXT]
        self._answers.append(f"{reply.code} {row} {epoch} {reply.status or '-'} {text}\n")
        return len(self._answers) == 1

    def flush(self) -> None:
        """Write the answers that wait. A full disk keeps them waiting: the database is told of them anyway."""
        if not self._answers:
            return
        try:
            self._write("".join(self._answers))
        except OSError:
            return
        self._answers.clear()

    def close(self, *, keep: bool, aside: bool = False) -> None:
        """Let go of the file: leave it to be replayed (`keep`), put it aside, or remove it."""
        if keep:
            self.flush()
        elif aside:
            # It lies there from now on, however long ago the last line was written.
            os.utime(self._file)
            self.path.rename(self.path.with_suffix(DONE))
        else:
            self.path.unlink(missing_ok=True)
        os.close(self._file)

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        written = os.write(self._file, data)
        if written != len(data):
            # Half a line would spoil the next one.
            os.ftruncate(self._file, self._size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self._size += written


@dataclass(frozen=True, slots=True)
class Record:
    """What a journal says.

    Attributes:
        complete: whether what is not in it did not happen; else a power cut may have taken its end.
        dots: row → number of the lease under which its last dot went out.
        answers: row → number of the lease, and the answer.
        began: when its worker began it, None in journals of earlier releases.
    """

    worker: str
    mailing: str
    complete: bool
    dots: dict[int, int] = field(default_factory=dict)
    answers: dict[int, tuple[int, Reply]] = field(default_factory=dict)
    began: datetime | None = field(default=None, compare=False)


def read(data: bytes) -> Record | None:
    """What a journal of these bytes says; None when not even its first line is whole.

    Lines that a power cut tore or overwrote with zeros are passed over: they say nothing.
    """
    whole = data.rpartition(b"\n")[0].decode("utf-8", "replace").split("\n")
    head = _HEAD.fullmatch(whole[0])
    if head is None:
        return None
    boot, synced, worker, mailing, began = head.groups()
    since = datetime.fromtimestamp(float(began), UTC) if began else None
    record = Record(worker, mailing, complete=synced == "1" or boot == boot_id(), began=since)
    for line in whole[1:]:
        if dot := _DOT.fullmatch(line):
            row, epoch = int(dot[1]), int(dot[2])
            record.dots[row] = epoch
            if row in record.answers and record.answers[row][0] < epoch:
                del record.answers[row]
        elif answer := _ANSWER.fullmatch(line):
            code, row, epoch = int(answer[1]), int(answer[2]), int(answer[3])
            status = "" if answer[4] == "-" else answer[4]
            record.answers[row] = (epoch, Reply(code, status, answer[5]))
    return record


@contextmanager
def abandoned(path: Path) -> Iterator[bytes | None]:
    """The bytes of a journal whose writer is dead, locked meanwhile; None when it lives, or another reads it."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        # Read to its end, and removed, by another between our opening and locking it.
        yield path.read_bytes() if path.exists() else None
    finally:
        os.close(file)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
