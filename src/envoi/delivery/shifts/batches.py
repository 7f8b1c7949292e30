"""The rows that a shift has in hand, lease by lease: which wait, which may have been offered, what came of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from envoi.delivery.composers import Leased
from envoi.delivery.queries.leases import Held
from envoi.delivery.queries.results import Result
from envoi.delivery.shifts.jobs import Job


@dataclass(slots=True)
class Batch:
    """One lease: `left` counts its rows that are not settled, `results` wait to be written."""

    held: Held
    left: int
    results: list[Result] = field(default_factory=list)
    # Up to this row the next commit opens the window; 0 when it does not move.
    offer: int = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left of the lease once the results are written."""
        return not self.offer and self.left == len(self.results)


class Hand:
    """All leases of one shift. Belongs to the worker's thread."""

    def __init__(self) -> None:
        self.batches: dict[int, Batch] = {}
        self.ready: deque[tuple[Leased, Any]] = deque()
        # To be handed over after the next commit, each with its slot.
        self.chosen: list[Job] = []
        self.open: dict[int, Leased] = {}
        # Surely not offered in the end: they stay pending, in their lease.
        self.returned: list[Leased] = []
        # About how many rows nobody had leased when the last lease was taken; None before the first.
        self._beyond: int | None = None

    def wanted(self, least: int, most: int) -> int:
        """How many rows to lease next: few at first, so that messages leave at once, and fewer towards the end, so that
        all senders end together."""
        if self._beyond is None:
            return min(most, 2 * least)
        return min(most, max(least, self._beyond // 4)) if self._beyond else most

    def take(self, held: Held, rows: Sequence[Leased], loaded: Sequence[Any]) -> None:
        """A new lease: `rows` are those of its rows that may be sent, with what their messages need."""
        self._beyond = held.beyond
        self.batches[held.id] = Batch(held, len(held.rows))
        self.ready.extend(zip(rows, loaded, strict=True))

    def settle(self, result: Result) -> None:
        """Note what came of a row; of rows whose lease was lost nothing is noted."""
        results = self.results_of(result.epoch)
        if results is not None:
            results.append(result)

    def results_of(self, lease: int) -> list[Result] | None:
        """Those of a lease that wait to be written, for whoever adds many; None when it was lost."""
        batch = self.batches.get(lease)
        return None if batch is None else batch.results

    def next(self, number: int) -> list[Leased]:
        """The next rows to be offered, which stay where they are."""
        return [row for row, _ in islice(self.ready, number)]

    def choose(self, number: int, go: Sequence[tuple[Leased, float]]) -> None:
        """Of the next so many rows these leave with the next commit; the others have a result."""
        rows = [self.ready.popleft() for _ in range(number)]
        if len(go) < number:
            slots = {row.id: slot for row, slot in go}
            chosen = [Job(row, loaded, slots[row.id]) for row, loaded in rows if row.id in slots]
        else:
            chosen = [Job(row, loaded, slot) for (row, loaded), (_, slot) in zip(rows, go, strict=True)]
        self.chosen += chosen
        for lease, last in {job.row.epoch: job.row.id for job in chosen}.items():
            self.batches[lease].offer = last

    def put_back(self) -> None:
        """Nothing leaves after all."""
        if self.chosen:
            while self.chosen:
                job = self.chosen.pop()
                self.ready.appendleft((job.row, job.loaded))
            for batch in self.batches.values():
                batch.offer = 0

    def to_be_written(self) -> list[Batch]:
        """The leases about which the next commit says something."""
        return [batch for batch in self.batches.values() if batch.results or batch.offer]

    def written(self, batch: Batch) -> None:
        """What was known of a lease is committed."""
        if batch.done:
            del self.batches[batch.held.id]
        batch.left -= len(batch.results)
        batch.results = []

    def hand_over(self) -> list[Job]:
        """What was chosen is on its way from now on."""
        chosen, self.chosen = self.chosen, []
        for job in chosen:
            self.open[job.row.id] = job.row
        for batch in self.batches.values():
            batch.offer = 0
        return chosen

    def lose(self, lease: int) -> list[int]:
        """The lease is somebody else's: forget it; the ids of its rows that may be on their way."""
        self.batches.pop(lease, None)
        self.chosen = [job for job in self.chosen if job.row.epoch != lease]
        self.ready = deque(item for item in self.ready if item[0].epoch != lease)
        self.returned = [row for row in self.returned if row.epoch != lease]
        return [row.id for row in self.open.values() if row.epoch == lease]

    def waits_from(self, lease: int) -> int | None:
        """The lowest id of its rows that were surely not offered; None when there are none."""
        ids = [row.id for row, _ in self.ready if row.epoch == lease]
        ids += [row.id for row in self.returned if row.epoch == lease]
        return min(ids, default=None)
