"""How many rows are on their way: what a worker hands to its line, and which of these the line may offer.

Guarantee: of the rows that may have been offered, at most `WINDOW` have no outcome on the disk, but for those on whose
dot a server was silent. The window stands in the database, so that another machine can go by it. Where no other machine
can have the database it stands in the journal (docs/decisions/0014): a wait for the disk in the line's own thread
instead of a commit by another. Then the database counts more rows as handed over, and the journal says which were.
"""

from __future__ import annotations

from collections import deque
from itertools import islice

from envoi.delivery.composers import Leased
from envoi.delivery.journal import Journal
from envoi.delivery.shifts.jobs import Job

# Rows that may have been offered and are not settled: so many are unknown at most when a machine is lost.
WINDOW = 100
# Rows handed to the line at most where the journal keeps the window; as many as it sends in a fifth of a second.
HANDED = 1000


def places(connections: int) -> int:
    """So many places of a window must be free before it moves on: the more, the less each move costs a message; fewer
    with many connections, which must not run dry."""
    return WINDOW - min(WINDOW // 2, max(WINDOW // 4, connections))


class Reach:
    """How many rows the worker may have handed over. Belongs to its thread.

    Attributes:
        most: that many.
        refill: so many places must be free before more is handed over.
    """

    def __init__(self, connections: int, *, in_journal: bool) -> None:
        self._in_journal = in_journal
        self._least = places(connections)
        self.most = WINDOW
        self.refill = self._least

    def follow(self, settled: int, *, limited: bool) -> None:
        """`settled` is what came back within the last tenth of a second. Limits are kept row by row: no more then."""
        if not self._in_journal:
            return
        self.most = WINDOW if limited else min(HANDED, max(WINDOW, 2 * settled, self.most // 2))
        self.refill = self._least if self.most == WINDOW else self.most // 2


class Window:
    """The line's side: lets rows in where the journal keeps the window; else whatever was handed over is inside."""

    def __init__(self, journal: Journal, connections: int) -> None:
        self.in_journal = journal.keeps_window
        self._journal = journal
        self._step = places(connections)
        self._open: set[int] = set()

    def let_in(self, before: deque[Job]) -> list[Job]:
        """The jobs of `before` that may be offered from now on.

        Raises:
            OSError: the journal could not take down which; they are still in `before`.
        """
        room = len(before)
        if self.in_journal:
            room = WINDOW - len(self._open)
            if not before or room < self._step:
                return []
        jobs = list(islice(before, room))
        if self.in_journal:
            self._journal.open_window((job.row.id, job.row.epoch) for job in jobs)
            self._open.update(job.row.id for job in jobs)
        for _ in jobs:
            before.popleft()
        return jobs

    def settled(self, row: Leased, *, in_journal: bool) -> bool:
        """Something came of a job, `in_journal` if that says so already; whether it is time to let more in."""
        if row.id not in self._open:
            return False
        self._open.discard(row.id)
        if not in_journal:
            self._journal.untried(row.id, row.epoch)
        return WINDOW - len(self._open) == self._step
