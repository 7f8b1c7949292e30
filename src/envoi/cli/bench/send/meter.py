"""What processes and their threads took of the processor and of memory, from /proc (Linux, proc(5))."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from django.db import connection

TICK = 1 / os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")
# Fields of /proc/PID/stat after the name, counted from 0.
PARENT, OWN, CHILDREN = 1, (11, 12), (13, 14)


class Meter:
    """The processor seconds of named processes since they were first seen, by part.

    A thread that is named as one of `threads` counts as a part of its own. A thread takes its numbers with it when it
    ends: call `look` a few times a second. What a thread took after the last look counts for its process.
    """

    def __init__(self, threads: Mapping[str, str]) -> None:
        self._threads = threads
        self._processes: dict[str, set[int]] = {}
        self._seconds: dict[int, float] = {}
        self._of_threads: dict[tuple[str, int], float] = {}
        self._memory: dict[str, float] = {}
        self.database = Database()

    def watch(self, part: str, pid: int) -> None:
        """Count this process from now on, also after it has ended."""
        self._processes.setdefault(part, set()).add(pid)

    def look(self) -> None:
        """Read everything once."""
        for part, pids in self._processes.items():
            for pid in pids:
                if (stat := read_stat(pid)) is None:
                    continue
                self._seconds[pid] = stat.own
                self._look_at_threads(part, pid)
        self.database.look()

    def _look_at_threads(self, part: str, pid: int) -> None:
        with contextlib.suppress(OSError):
            for task in os.scandir(PROC / str(pid) / "task"):
                stat = read_stat(pid, int(task.name))
                if stat is not None and (name := self._threads.get(stat.name)):
                    self._of_threads[f"{part}_{name}", int(task.name)] = stat.own

    def seconds(self) -> dict[str, float]:
        """Part → processor seconds until the last look; a process's own part is without its named threads."""
        found = {part: sum(self._seconds.get(pid, 0.0) for pid in pids) for part, pids in self._processes.items()}
        for (part, _thread), seconds in self._of_threads.items():
            found[part] = found.get(part, 0.0) + seconds
            found[part.rpartition("_")[0]] -= seconds
        if self.database.local:
            found["database"] = self.database.seconds
        return found

    def peaks(self) -> dict[str, float]:
        """Process → the most memory that it ever held, in MB; ask while they live."""
        found = {}
        for part, pids in self._processes.items():
            for number, pid in enumerate(sorted(pids), 1):
                if (peak := peak_mb(pid)) is not None:
                    found[part if len(pids) == 1 else f"{part}_{number}"] = round(peak, 1)
        return found


class Stat:
    """One line of /proc/…/stat."""

    def __init__(self, text: str) -> None:
        head, _end, rest = text.rpartition(")")
        self.name = head.partition("(")[2]
        self.fields = rest.split()

    @property
    def parent(self) -> int:
        return int(self.fields[PARENT])

    @property
    def own(self) -> float:
        return sum(int(self.fields[place]) for place in OWN) * TICK

    @property
    def children(self) -> float:
        """Of those that have ended and were waited for."""
        return sum(int(self.fields[place]) for place in CHILDREN) * TICK


def read_stat(pid: int, thread: int | None = None) -> Stat | None:
    """None when it has ended."""
    path = PROC / str(pid) / (f"task/{thread}/stat" if thread else "stat")
    try:
        return Stat(path.read_text(errors="replace"))
    except OSError:
        return None


def peak_mb(pid: int) -> float | None:
    """The highest resident size that a process had; None when it has ended."""
    try:
        status = (PROC / str(pid) / "status").read_text()
    except OSError:
        return None
    kilobytes = status.partition("VmHWM:")[2].split()[:1]
    return int(kilobytes[0]) / 1024 if kilobytes else None


class Database:
    """The server's processes, when it is a PostgreSQL on this machine: all of them, whoever they work for."""

    def __init__(self) -> None:
        self._postmaster = self._found()
        self._first = self._total()
        self.seconds = 0.0

    @property
    def local(self) -> bool:
        return self._postmaster is not None

    def look(self) -> None:
        self.seconds = self._total() - self._first

    def _found(self) -> int | None:
        if connection.vendor != "postgresql":
            return None
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            mine = read_stat(int(cursor.fetchone()[0]))
        return mine.parent if mine is not None and mine.name.startswith("postgres") else None

    def _total(self) -> float:
        if self._postmaster is None or (head := read_stat(self._postmaster)) is None:
            return 0.0
        living = (read_stat(pid) for pid in children_of(self._postmaster))
        return head.own + head.children + sum(one.own for one in living if one is not None)


def children_of(pid: int) -> list[int]:
    """The processes that `pid` has started and that live."""
    try:
        words = (PROC / str(pid) / "task" / str(pid) / "children").read_text().split()
        return [int(word) for word in words]
    except OSError:
        found = ((int(entry.name), read_stat(int(entry.name))) for entry in os.scandir(PROC) if entry.name.isdigit())
        return [number for number, stat in found if stat is not None and stat.parent == pid]
