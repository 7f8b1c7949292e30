"""The thread that talks to the server: an event loop with connections that ask for the next job when they are free.

A job is composed here, shortly before a connection takes it up: in the worker's thread each read and write here would
lose the interpreter to that for up to 5 ms. No database here. Guarantees: every job that was put gets exactly one
outcome; a job that was taken back, or whose lease would not last, is not offered to the server; no message begins when
the suppressions were read more than a second ago, so the line stands when the worker's thread does; no dot without its
line in the journal; the loop never waits for the database.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Collection, Sequence
from heapq import heappop, heappush
from types import TracebackType
from typing import Self, cast

from envoi.core.thread_names import show_as
from envoi.delivery.composers import Leased, Message, RenderProblem
from envoi.delivery.journal import Journal
from envoi.delivery.machine import elapsed
from envoi.delivery.shifts.jobs import ComposeFailed, Job, Settled, Write
from envoi.delivery.shifts.window import Window
from envoi.delivery.smtp import (
    Accepted,
    Connections,
    Envelope,
    Fault,
    FaultKind,
    Loop,
    NotSent,
    Outcome,
    Phase,
    Refused,
    SenderRefused,
    SmtpSettings,
    TakenBack,
    Unknown,
    closed,
    withheld,
)

# Outcomes are handed to the worker by the handful, since each time wakes its thread and both then wait for the
# interpreter; or after so many seconds.
HANDFUL = 25
SOON = 0.02
# Composed in a row: between writing and reading it takes twice as long, its code having left the processor's caches.
AT_ONCE = 50
# A suppression is read so many seconds before MAIL at most.
FRESH = 1.0


class Line:
    """Use as a context manager: leaving it finishes what is on its way and closes the connections.

    Args:
        write: makes the message of a row from what was loaded for it; pure, see `Compose.write`.
    """

    __deletable__ = ("_connections",)  # says to mypyc that it may be deleted

    def __init__(
        self, settings: SmtpSettings, connections: int, messages_per_connection: int, journal: Journal, write: Write
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._window = Window(journal, connections)
        self.window_in_journal = journal.keeps_window
        self._write = write
        self.connections = connections
        self.handful = HANDFUL
        self._limits = (connections, messages_per_connection)
        # Handed over and not in the window yet; in it, and their slot has come, or not.
        self._outside: deque[Job] = deque()
        self._ready: deque[Job] = deque()
        self._composed: deque[tuple[Leased, Message | RenderProblem | ComposeFailed]] = deque()
        self._later: list[tuple[float, int, Job]] = []
        self._alarm: asyncio.TimerHandle | None = None
        self._unsettled = 0
        self._handful: list[Settled] = []
        self._handing_over: asyncio.TimerHandle | None = None
        self._outcomes: queue.SimpleQueue[list[Settled]] = queue.SimpleQueue()
        self._left_over: list[Settled] = []
        self._taken_back: frozenset[int] = frozenset()
        self._holding = False
        self._lease_ends = self._fresh_until = 0.0
        self._begun = threading.Event()
        self._own_thread = threading.Thread(target=self._run, name="smtp line", daemon=True)

    def __enter__(self) -> Self:
        self._own_thread.start()
        self._begun.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._holding = True
        self._loop.call_soon_threadsafe(self._stop.set)
        self._own_thread.join()

    # The worker's thread calls these.

    def put(self, jobs: Sequence[Job]) -> None:
        """Send these, each not before its slot."""
        self._loop.call_soon_threadsafe(self._accept, jobs)

    def outcomes(self, wait: float, most: int) -> list[Settled]:
        """What came of jobs since the last call; waits up to `wait` seconds for the first, takes at most `most`."""
        found, self._left_over = self._left_over, []
        try:
            if not found and wait > 0:
                found = self._outcomes.get(timeout=wait)
            while len(found) < most:
                found += self._outcomes.get_nowait()
        except queue.Empty:
            pass
        self._left_over = found[most:]
        return found[:most]

    def take_back(self, ids: Collection[int]) -> None:
        """Do not offer these to the server any more."""
        self._taken_back = self._taken_back | frozenset(ids)

    def hold(self) -> None:
        """Offer nothing more to the server; what is on its way is finished. After the line was left nothing happens."""
        self._holding = True
        if self._own_thread.is_alive():
            self._loop.call_soon_threadsafe(self._settle_waiting, withheld())

    def recall(self) -> None:
        """Give back what is not in the window yet; the rest goes out."""
        if self._window.in_journal:
            self._loop.call_soon_threadsafe(self._settle_outside, withheld())

    def lease_until(self, moment: float) -> None:
        """From `moment` (of `elapsed`) on nothing may be offered: somebody else may have the rows then."""
        self._lease_ends = moment

    def looked(self, moment: float) -> None:
        """At `moment` (of `elapsed`) was read who must not be written to; what follows from it was taken back."""
        self._fresh_until = moment + FRESH
        if self._own_thread.is_alive():
            self._loop.call_soon_threadsafe(self._wake)

    # The event loop's thread.

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=Loop) as runner:
            runner.run(self._work())

    async def _work(self) -> None:
        show_as("smtp line")
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._connections = Connections(self._settings, self, *self._limits)
        self._begun.set()
        await self._stop.wait()
        self._settle_waiting(closed())
        await self._connections.close()
        self._hand_over()
        del self._connections  # which hold this line: now what it composed with is freed without a search for cycles

    def _accept(self, jobs: Sequence[Job]) -> None:
        self._unsettled += len(jobs)
        self._outside.extend(jobs)
        if self._holding:
            self._settle_waiting(withheld())
        self._go_on()

    def _go_on(self) -> None:
        """Let into the window what it has room for; what has no slot to wait for can be taken up."""
        try:
            jobs = self._window.let_in(self._outside)
        except OSError as error:
            self.hindered(NotSent(Fault(FaultKind.HOOK, f"the window could not be recorded: {error}"), Phase.QUEUED))
            return
        now = elapsed()
        for job in jobs:
            if job.not_before > now:
                heappush(self._later, (job.not_before, job.row.id, job))
            else:
                self._ready.append(job)
        self._set_alarm()
        self._connections.wake()

    def _set_alarm(self) -> None:
        """For the first of those whose slot has not come."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._later:
            self._alarm = self._loop.call_later(max(0.0, self._later[0][0] - elapsed()), self._slot_has_come)

    def _slot_has_come(self) -> None:
        now = elapsed()
        while self._later and self._later[0][0] <= now:
            self._ready.append(heappop(self._later)[2])
        self._set_alarm()
        self._connections.wake()

    def _wake(self) -> None:
        self._connections.wake()

    # The connections call these.

    def waiting(self) -> int:
        return len(self._composed) + len(self._ready) if elapsed() < self._fresh_until else 0

    def take(self) -> Envelope | None:
        while (self._composed or self._compose()) and (now := elapsed()) < self._fresh_until:
            row, message = self._composed.popleft()
            if not self._may_go(row, now):
                self._settle(row, withheld())
            elif isinstance(message, Message):
                return Envelope(message.return_path, row.address, message.data, row.key, row, message.clean_lines)
            else:
                self._holding = self._holding or isinstance(message, ComposeFailed)
                self._settle(row, message)
        return None

    def wanted(self, envelope: Envelope, /) -> bool:
        row, now = _row(envelope), elapsed()
        wanted = now < self._fresh_until and self._may_go(row, now)
        if not wanted:
            self._settle(row, withheld())
        return wanted

    def before_dot(self, envelope: Envelope, /) -> None:
        # A worker that was stopped or suspended in the middle of the body: others may hold the row by now.
        row = _row(envelope)
        if elapsed() >= self._lease_ends or row.id in self._taken_back:
            raise TakenBack
        self._journal.dot(row.id, row.epoch)

    def settled(self, envelope: Envelope, outcome: Outcome, /) -> None:
        row = _row(envelope)
        match outcome:
            case Accepted(reply) | Refused(reply, Phase.DOT_SENT) | SenderRefused(reply, Phase.DOT_SENT):
                self._journal.answer(row.id, row.epoch, reply)
                self._settle(row, outcome, in_journal=True)
            case _:
                self._settle(row, outcome, in_journal=isinstance(outcome, Unknown))
        if isinstance(outcome, SenderRefused):
            # The worker has to stop the rest.
            self._hand_over()

    def hindered(self, outcome: Outcome, /) -> None:
        while self._composed:
            self._settle(self._composed.popleft()[0], outcome)
        while self._ready:
            self._settle(self._ready.popleft().row, outcome)
        self._settle_outside(outcome)

    def _compose(self) -> bool:
        """The next few; whether there are any."""
        for _ in range(min(AT_ONCE, len(self._ready))):
            row, loaded, _ = self._ready.popleft()
            message: Message | RenderProblem | ComposeFailed
            try:
                message = self._write(row, loaded)
            except Exception as error:
                message = ComposeFailed(error)
            self._composed.append((row, message))
        return bool(self._composed)

    def _may_go(self, row: Leased, now: float) -> bool:
        return not self._holding and row.id not in self._taken_back and now < self._lease_ends

    def _settle_waiting(self, outcome: Outcome) -> None:
        self._ready.extend(job for _, _, job in self._later)
        self._later.clear()
        self.hindered(outcome)

    def _settle_outside(self, outcome: Outcome) -> None:
        while self._outside:
            self._settle(self._outside.popleft().row, outcome)

    def _settle(self, row: Leased, outcome: Outcome | RenderProblem | ComposeFailed, in_journal: bool = False) -> None:
        self._unsettled -= 1
        if self._window.settled(row, in_journal=in_journal) and self._outside:
            self._loop.call_soon(self._go_on)
        self._handful.append((row, outcome))
        if len(self._handful) >= self.handful or not self._unsettled:
            self._hand_over()
        elif self._handing_over is None:
            self._handing_over = self._loop.call_later(SOON, self._hand_over)

    def _hand_over(self) -> None:
        if self._handing_over is not None:
            self._handing_over.cancel()
            self._handing_over = None
        if self._handful:
            self._outcomes.put(self._handful)
            self._handful = []


def _row(envelope: Envelope) -> Leased:
    return cast("Leased", envelope.tag)  # this is how `take` made it
