"""The thread that talks to the server: an event loop with a connection pool, fed and emptied by the worker's thread.

No database here. Guarantees: every job that was put gets exactly one outcome; a job that was taken back, or whose lease
would not last, is not offered to the server; no dot without its line in the journal; the loop never waits for the
database.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from envoi.core.thread_names import show_as
from envoi.delivery.composers import Leased
from envoi.delivery.journal import Journal
from envoi.delivery.machine import elapsed
from envoi.delivery.smtp import (
    Accepted,
    Envelope,
    Hooks,
    Outcome,
    Phase,
    Pool,
    Refused,
    SenderRefused,
    SmtpSettings,
    TakenBack,
)


@dataclass(frozen=True, slots=True)
class Job:
    """One message to hand over.

    Attributes:
        not_before: the slot that the transport's rate gives it, in seconds of `elapsed`.
    """

    row: Leased
    return_path: str
    data: bytes
    not_before: float = 0.0


class Line:
    """Use as a context manager: leaving it finishes what is on its way and closes the connections."""

    def __init__(
        self, settings: SmtpSettings, connections: int, messages_per_connection: int, journal: Journal
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._connections = connections
        self._per_connection = messages_per_connection
        self._outcomes: queue.SimpleQueue[tuple[Leased, Outcome]] = queue.SimpleQueue()
        self._taken_back: frozenset[int] = frozenset()
        self._holding = False
        self._lease_ends = 0.0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()), name="smtp line", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._holding = True
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    # The worker's thread calls these.

    def put(self, jobs: Sequence[Job]) -> None:
        """Send these, each not before its slot."""
        self._loop.call_soon_threadsafe(self._accept, jobs)

    def outcomes(self, wait: float, most: int) -> list[tuple[Leased, Outcome]]:
        """What came of jobs since the last call; waits up to `wait` seconds for the first, takes at most `most`."""
        found: list[tuple[Leased, Outcome]] = []
        try:
            found.append(self._outcomes.get(timeout=wait) if wait > 0 else self._outcomes.get_nowait())
            while len(found) < most:
                found.append(self._outcomes.get_nowait())
        except queue.Empty:
            pass
        return found

    def take_back(self, ids: Collection[int]) -> None:
        """Do not offer these to the server any more."""
        self._taken_back = self._taken_back | frozenset(ids)

    def hold(self) -> None:
        """Offer nothing more to the server; what is on its way is finished."""
        self._holding = True

    def lease_until(self, moment: float) -> None:
        """From `moment` (of `elapsed`) on nothing may be offered: somebody else may have the rows then."""
        self._lease_ends = moment

    # The event loop's thread.

    async def _work(self) -> None:
        show_as("smtp line")
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        hooks = Hooks(before_mail=self._wanted, before_dot=self._before_dot, settled=self._settled)
        async with Pool(self._settings, self._connections, self._per_connection, hooks) as pool:
            self._pool = pool
            self._ready.set()
            await self._stop.wait()
        self._journal.flush()

    def _accept(self, jobs: Sequence[Job]) -> None:
        now = elapsed()
        for job in jobs:
            envelope = Envelope(job.return_path, job.row.address, job.data, envid=job.row.key, tag=job.row)
            if job.not_before > now:
                self._loop.call_later(job.not_before - now, self._pool.send, envelope)
            else:
                self._pool.send(envelope)

    def _wanted(self, envelope: Envelope) -> bool:
        row = envelope.tag
        return (
            isinstance(row, Leased)
            and not self._holding
            and row.id not in self._taken_back
            and elapsed() < self._lease_ends
        )

    def _before_dot(self, envelope: Envelope) -> None:
        row = envelope.tag
        if isinstance(row, Leased):
            # A worker that was stopped or suspended in the middle of the body: others may hold the row by now.
            if elapsed() >= self._lease_ends:
                raise TakenBack
            self._journal.dot(row.id, row.epoch)

    def _settled(self, envelope: Envelope, outcome: Outcome) -> None:
        row = envelope.tag
        if not isinstance(row, Leased):
            return
        match outcome:
            case Accepted(reply) | Refused(reply, Phase.DOT_SENT) | SenderRefused(reply, Phase.DOT_SENT):
                # At the end of this round of the loop, unless the next dot takes it along.
                if self._journal.answer(row.id, row.epoch, reply):
                    self._loop.call_soon(self._journal.flush)
        self._outcomes.put((row, outcome))
