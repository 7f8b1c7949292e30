"""One group of processes: start, watch, restart, stop. Knows nothing about what they do.

Guarantees: children are forked from this process (everything is loaded once) and have process groups of their own, so
that Ctrl-C reaches only the supervisor, which stops them in order. A child that dies is started again, more and more
slowly, and that is said. No child outlives the supervisor, however it ends (prctl PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

PR_SET_PDEATHSIG = 1  # linux/prctl.h
ASKING_TO_STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
HEALTHY_AFTER = 60.0
LONGEST_PAUSE = 30.0
TICK = 0.1


@dataclass(slots=True)
class Child:
    """One process and its history.

    Attributes:
        grace: seconds that it gets to end by itself after SIGTERM.
    """

    name: str
    target: Callable[[], int]
    grace: float = 10.0
    pid: int = 0
    started: float = 0.0
    failures: int = 0
    restart_at: float = 0.0
    output: int = -1
    rest: bytes = field(default=b"", repr=False)


class Supervisor:
    """Runs children until it is told to stop. Stops them in the order in which they are given."""

    def __init__(self, children: Sequence[Child], say: Callable[[str, str], None]) -> None:
        self.children = list(children)
        self.say = say
        self.selector = selectors.DefaultSelector()
        self.stopping = False

    def start(self) -> None:
        """Start every child, the last in the stopping order first, so that nobody misses what it needs."""
        for number in ASKING_TO_STOP:
            signal.signal(number, self.ask_to_stop)
        for child in reversed(self.children):
            self.start_child(child)

    def ask_to_stop(self, *_: object) -> None:
        self.stopping = True

    def start_child(self, child: Child) -> None:
        reading, writing = os.pipe()
        supervisor = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        # A child that is asked before it has handlers of its own would put the question to ours, and forget it.
        signal.pthread_sigmask(signal.SIG_BLOCK, ASKING_TO_STOP)
        try:
            pid = os.fork()
            if pid == 0:
                os.close(reading)
                become(child, writing, supervisor)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKING_TO_STOP)
        os.close(writing)
        os.set_blocking(reading, False)
        child.pid, child.started, child.output = pid, time.monotonic(), reading
        self.selector.register(reading, selectors.EVENT_READ, child)

    def tick(self) -> None:
        """Pass on what the children say, notice who died and start again whose pause is over."""
        self.pass_on(TICK)
        for child in self.children:
            if child.pid and (code := ended(child)) is not None:
                self.bury(child, code)
            elif not child.pid and not self.stopping and time.monotonic() >= child.restart_at:
                self.start_child(child)

    def bury(self, child: Child, code: int) -> None:
        """Clear up after a child that died, and plan its restart."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # what it forked must not keep its port
        self.drain(child)
        child.pid = 0
        if self.stopping:
            return
        child.failures = 0 if time.monotonic() - child.started > HEALTHY_AFTER else child.failures + 1
        pause = 0.0 if not child.failures else min(2.0 ** (child.failures - 1), LONGEST_PAUSE)
        child.restart_at = time.monotonic() + pause
        self.say(child.name, f"{how(code)}; starting it again{f' in {pause:.0f} s' if pause else ''}.")

    def stop(self) -> None:
        """Stop the children one after the other; whoever does not end in time is killed."""
        self.stopping = True
        for child in self.children:
            if child.pid:
                self.stop_child(child)

    def stop_child(self, child: Child) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + child.grace
        while time.monotonic() < deadline:
            self.pass_on(0.02)
            if ended(child) is not None:
                break
        else:
            self.say(child.name, f"did not end within {child.grace:.0f} s and is killed; its work is taken up again.")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child.pid, 0)
        self.drain(child)
        child.pid = 0

    def pass_on(self, seconds: float) -> None:
        """Print whole lines of the children, with their names."""
        for key, _ in self.selector.select(seconds):
            self.read(key.data)

    def read(self, child: Child) -> bool:
        try:
            piece = os.read(child.output, 65536)
        except BlockingIOError:
            return False
        if not piece:
            self.selector.unregister(child.output)
            os.close(child.output)
            child.output = -1
            return False
        *lines, child.rest = (child.rest + piece).split(b"\n")
        for line in lines:
            self.say(child.name, line.decode(errors="replace"))
        return True

    def drain(self, child: Child) -> None:
        while child.output >= 0 and self.read(child):
            pass
        if child.output >= 0:
            self.selector.unregister(child.output)
            os.close(child.output)
            child.output = -1
        if child.rest:
            self.say(child.name, child.rest.decode(errors="replace"))
            child.rest = b""


def become(child: Child, writing: int, supervisor: int) -> None:
    """Turn the forked process into the child; never returns."""
    code = 1
    try:
        os.setpgid(0, 0)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != supervisor:
            os._exit(1)
        for number in ASKING_TO_STOP:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKING_TO_STOP)
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        os.close(writing)
        code = child.target()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def ended(child: Child) -> int | None:
    """The wait status of a child that has ended."""
    try:
        pid, status = os.waitpid(child.pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return status if pid else None


def how(status: int) -> str:
    """A wait status in words."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return f"was killed ({signal.Signals(-code).name})"
    return f"ended unexpectedly (exit code {code})"
