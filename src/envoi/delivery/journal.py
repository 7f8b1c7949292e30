"""What a worker offered to the server and what it answered, message by message, in a file that outlives the process.

    envoi-journal 1 boot=… synced=0 worker=… mailing=… began=1772352000.123
    WIN 1 4711 4712              these rows of lease number 1 are about to be offered (only where it keeps the window)
    DOT 4711 1                   before the final dot of row 4711 under its lease number 1
    250 4711 1 2.0.0 Taken as 7  right after the answer
    NOT 4712 1                   it was not offered, or refused before the dot (only where it keeps the window)

Guarantees: the line of a dot is in the kernel's page cache before the dot is with the kernel; an answer follows as soon
as it is read. What is there survives a killed process but not a power cut; with `synced` each dot waits for the disk as
well. Where it keeps the window (docs/decisions/0014) a `WIN` line, and so all before it, is on the disk before one of
its rows is offered. A file whose writer lives is locked, so nobody else reads it. Disk full: the dot is not sent. No
Django here.

The file is written through a mapping of it into memory, which costs half of what write(2) did, and its room on the disk
is taken beforehand, since a mapping has no other way to say that the disk is full: see docs/decisions/0013. So a file
of a writer who was killed ends in zeros, and the line that was being written may hold some: it is passed over.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from envoi.core import clock
from envoi.delivery.machine import boot_id
from envoi.delivery.smtp import Reply

ENDING, FRESH, DONE = ".journal", ".new", ".done"
LONGEST_TEXT = 400
# Room on the disk is taken in steps that double from the first to the last; a personal message needs a few lines. With
# each step it is mapped anew, so no more than the last of it stays in memory.
FIRST_ROOM, MOST_ROOM = 64 * 1024, 1024 * 1024
_HEAD = re.compile(r"envoi-journal 1 boot=(\S+) synced=([01]) worker=(\S+) mailing=(\S+)(?: began=([\d.]+))?")
_DOT = re.compile(r"DOT (\d+) (\d+)")
_WINDOW = re.compile(r"WIN (\d+)((?: \d+)*)")
_NOT = re.compile(r"NOT (\d+) (\d+)")
_ANSWER = re.compile(r"(\d{3}) (\d+) (\d+) ([245]\.\d{1,3}\.\d{1,3}|-) ?(.*)")


class Journal:
    """The journal of one shift. Belongs to one thread at a time.

    Args:
        keeps_window: no row is offered that `open_window` was not told of.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(
        self, folder: Path, worker: str, mailing: str, *, synced: bool = False, keeps_window: bool = False
    ) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / f"{secrets.token_hex(8)}{ENDING}"
        self.keeps_window = keeps_window
        self._synced = synced
        self._size = 0
        # Answers that found no room on the disk.
        self._late = b""
        # Under another name until it is locked and begun, so that nobody takes it for that of a dead worker.
        fresh = self.path.with_suffix(FRESH)
        self._file = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._map = _mapped(self._file, FIRST_ROOM)
            who = f"worker={worker} mailing={mailing} began={clock.now().timestamp():.3f}"
            self._write(f"envoi-journal 1 boot={boot_id()} synced={synced:d} {who}\n".encode())
            if keeps_window:
                self._write(b"WIN 0\n")
            fresh.rename(self.path)
            if synced or keeps_window:
                os.fsync(self._file)
                _sync_folder(folder)
        except OSError:
            os.close(self._file)
            fresh.unlink(missing_ok=True)
            raise

    def open_window(self, rows: Iterable[tuple[int, int]]) -> None:
        """Say that these rows, each with the number of its lease, are about to be offered, and wait for the disk.

        Raises:
            OSError: it could not be written; none of them must be offered.
        """
        self._write_late()
        for epoch, those in groupby(rows, key=itemgetter(1)):
            self._write(b"WIN %d %b\n" % (epoch, b" ".join(b"%d" % row for row, _ in those)))
        os.fdatasync(self._file)

    def dot(self, row: int, epoch: int) -> None:
        """Say that the final dot of this row follows.

        Raises:
            OSError: it could not be written; the dot must not follow.
        """
        if self._late:
            self._write_late()
        self._write(b"DOT %d %d\n" % (row, epoch))
        if self._synced:
            self._map.flush()

    def answer(self, row: int, epoch: int, reply: Reply) -> None:
        """Note the answer to a dot. A full disk keeps it waiting: the database is told of it anyway."""
        text = " ".join(reply.text.split())[:LONGEST_TEXT]
        self._note(f"{reply.code} {row} {epoch} {reply.status or '-'} {text}\n".encode("utf-8", "replace"))

    def untried(self, row: int, epoch: int) -> None:
        """Note that a row of the window surely was not handed over. A full disk keeps it waiting."""
        self._note(b"NOT %d %d\n" % (row, epoch))

    def close(self, *, keep: bool, aside: bool = False) -> None:
        """Let go of the file: leave it to be replayed (`keep`), put it aside, or remove it."""
        if keep and self._late:
            with suppress(OSError):
                self._write(self._late)
        # It holds a handle of the file, and the lock with it.
        self._map.close()
        os.ftruncate(self._file, self._size)
        if aside and not keep:
            # It lies there from now on, however long ago the last line was written.
            os.utime(self._file)
            self.path.rename(self.path.with_suffix(DONE))
        elif not keep:
            self.path.unlink(missing_ok=True)
        os.close(self._file)

    def _note(self, line: bytes) -> None:
        try:
            self._write(self._late + line)
            self._late = b""
        except OSError:
            self._late += line

    def _write_late(self) -> None:
        self._write(self._late)
        self._late = b""

    def _write(self, data: bytes) -> None:
        end = self._size + len(data)
        if end > len(self._map):
            self._make_room(end)
        self._map[self._size : end] = data
        self._size = end

    def _make_room(self, end: int) -> None:
        now = len(self._map)
        larger = _mapped(self._file, max(end, now + min(now, MOST_ROOM)))
        self._map.close()
        self._map = larger


def _mapped(file: int, size: int) -> mmap.mmap:
    """So much of the file in memory, with its place on the disk."""
    os.posix_fallocate(file, 0, size)
    return mmap.mmap(file, size)


@dataclass(frozen=True, slots=True)
class Record:
    """What a journal says.

    Attributes:
        complete: whether what is not in it did not happen; else a power cut may have taken its end.
        dots: row → number of the lease under which its last dot went out.
        answers: row → number of the lease, and the answer.
        window: row → number of the lease under which it was last about to be offered; None where only the database
            says which were.
        began: when its worker began it, None in journals of earlier releases.
    """

    worker: str
    mailing: str
    complete: bool
    dots: dict[int, int] = field(default_factory=dict)
    answers: dict[int, tuple[int, Reply]] = field(default_factory=dict)
    window: dict[int, int] | None = None
    began: datetime | None = field(default=None, compare=False)


def read(data: bytes) -> Record | None:
    """What a journal of these bytes says; None when not even its first line is whole.

    Lines that a power cut tore or overwrote with zeros, or a kill in the middle, are passed over: they say nothing.
    """
    whole = data.rpartition(b"\n")[0].decode("utf-8", "replace").split("\n")
    head = _HEAD.fullmatch(whole[0])
    if head is None:
        return None
    boot, synced, worker, mailing, began = head.groups()
    since = datetime.fromtimestamp(float(began), UTC) if began else None
    window: dict[int, int] | None = {} if whole[1:2] == ["WIN 0"] else None
    record = Record(worker, mailing, complete=synced == "1" or boot == boot_id(), window=window, began=since)
    for line in whole[1:]:
        if "\0" not in line:
            _take_down(line, record)
    return record


def _take_down(line: str, record: Record) -> None:
    if dot := _DOT.fullmatch(line):
        row, epoch = int(dot[1]), int(dot[2])
        record.dots[row] = epoch
        if row in record.answers and record.answers[row][0] < epoch:
            del record.answers[row]
    elif answer := _ANSWER.fullmatch(line):
        code, row, epoch = int(answer[1]), int(answer[2]), int(answer[3])
        status = "" if answer[4] == "-" else answer[4]
        record.answers[row] = (epoch, Reply(code, status, answer[5]))
    elif record.window is None:
        return
    elif opened := _WINDOW.fullmatch(line):
        record.window.update(dict.fromkeys(map(int, opened[2].split()), int(opened[1])))
    elif untried := _NOT.fullmatch(line):
        row, epoch = int(untried[1]), int(untried[2])
        if record.window.get(row) == epoch:
            del record.window[row]


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
