"""The two programs of Postfix that `bench send` measures with: `smtp-sink` receives, `smtp-source` is the yardstick.

They are not ours, so neither the count of what arrived nor the speed that is compared with is our own word.
"""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from envoi.cli.faults import Stop
from envoi.cli.throw_away import free_port

# Where they are, and where the PATH of people who are not root may not look.
FOLDERS = ("/usr/sbin", "/usr/lib/postfix/sbin")
BACKLOG = "1024"
READY_WITHIN = 10.0
# Its counters are written after the answer: the last one may come a moment later.
COUNTED_WITHIN = 2.0
TAIL = 400


def program(name: str) -> str:
    """Where the program is.

    Raises:
        Stop: it is not installed; says how to get it.
    """
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *FOLDERS]))
    if found is None:
        raise Stop(
            f"{name} is not installed. It comes with Postfix: “apt-get install postfix” (Debian, Ubuntu), "
            "“dnf install postfix” (Fedora) or “brew install postfix”; Postfix itself need not run."
        )
    return found


@dataclass(slots=True)
class Sink:
    """A running smtp-sink."""

    port: int
    pid: int
    counters: Path

    def messages(self) -> int:
        """How many messages it has accepted so far, by its own count."""
        with self.counters.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            # What stands behind the last carriage return is just being written: any part of it may be missing.
            complete, _ended, _begun = file.read().rpartition(b"\r")
        _before, found, number = complete.rpartition(b"mesg=")
        return int(number) if found else 0

    def settled(self, expected: int) -> int:
        """The count once it has come to `expected`, or what it is when it does not."""
        until = time.monotonic() + COUNTED_WITHIN
        while (count := self.messages()) < expected and time.monotonic() < until:
            time.sleep(0.01)
        return count


@contextmanager
def sink(folder: Path) -> Iterator[Sink]:
    """Start smtp-sink on a free port of loopback; what it counts goes to a file in `folder`.

    Raises:
        Stop: it is not installed, or does not start.
    """
    path, port, counters = program("smtp-sink"), free_port(), folder / "sink.counters"
    # It will not run as root: Postfix's own user is there where Postfix is.
    as_user = ["-u", "postfix"] if os.geteuid() == 0 else []
    with counters.open("wb") as output:
        command = [path, *as_user, "-c", "-m", "1000", f"127.0.0.1:{port}", BACKLOG]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE)  # noqa: S603 - found above
    try:
        until = time.monotonic() + READY_WITHIN
        while not listens(port):
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                said = process.communicate()[1].decode(errors="replace").strip()
                raise Stop(f"smtp-sink did not start: {said or 'it said nothing'}")
            time.sleep(0.02)
        yield Sink(port, process.pid, counters)
    finally:
        process.kill()
        process.communicate()


def listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class Reference:
    """One run of smtp-source.

    Attributes:
        cpu: seconds of the processor that smtp-source itself took.
    """

    seconds: float
    cpu: float


def source(port: int, sessions: int, messages: int, size: int) -> Reference:
    """Send so many canned messages of `size` bytes over as many sessions as Envoi may open.

    Raises:
        Stop: it failed.
    """
    command = [program("smtp-source"), "-d", "-s", str(sessions), "-m", str(messages), "-l", str(size)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = subprocess.run([*command, f"127.0.0.1:{port}"], capture_output=True, text=True, check=False)  # noqa: S603
    seconds = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise Stop(f"smtp-source failed: {done.stderr.strip()[-500:]}")
    return Reference(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def reference(sink: Sink, sessions: int, messages: int, size: int) -> Reference:
    """Let smtp-source send so many messages to `sink`.

    Raises:
        Stop: it failed, or not all of them arrived.
    """
    arrived = sink.messages()
    done = source(sink.port, sessions, messages, size)
    if (count := sink.settled(arrived + messages) - arrived) != messages:
        raise Stop(f"smtp-source sent {messages:,} messages, smtp-sink counted {count:,}")
    return done
