"""What an import would do, without writing anything."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice
from types import TracebackType

from envoi.contacts.actions.import_run import BATCH, decide, read, reader_for
from envoi.contacts.importing.people import Problem
from envoi.contacts.importing.records import Record
from envoi.contacts.models import Import


@dataclass(slots=True)
class Forecast:
    """What would come of some rows.

    Attributes:
        new: people that no contact of the kind is yet, each once.
        known: rows of people that are known, or that an earlier row brought.
        suppressed: of both, rows whose address is suppressed.
        problems: the first of the refused rows.
    """

    rows: int = 0
    new: int = 0
    known: int = 0
    rejected: int = 0
    suppressed: int = 0
    problems: list[Problem] = field(default_factory=list)


def forecast(of: Import, records: Iterator[Record], *, most_problems: int = 100) -> Forecast:
    """Go through `records` as the import would."""
    found, reader = Forecast(), reader_for(of)
    with _Seen() as seen:
        while some := list(islice(records, BATCH)):
            batch = decide(of, read(reader, some))
            fresh = seen.fresh([key for key, contact in batch.contacts.items() if contact.pk is None])
            found.rows += len(some)
            found.new += fresh
            found.known += len(some) - fresh - batch.counts["rejected"]
            found.rejected += batch.counts["rejected"]
            found.suppressed += batch.counts["suppressed"]
            found.problems += sorted(batch.problems, key=lambda row: row.line)[: most_problems - len(found.problems)]
    return found


class _Seen:
    """Keys met before, in a temporary SQLite file of its own: memory stays flat in the number of rows."""

    def __enter__(self) -> _Seen:
        self.keys = sqlite3.connect("")
        self.keys.execute("CREATE TABLE seen (key TEXT PRIMARY KEY) WITHOUT ROWID")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.keys.close()

    def fresh(self, keys: Collection[str]) -> int:
        """How many of `keys` come for the first time."""
        before = self.keys.total_changes
        self.keys.executemany("INSERT OR IGNORE INTO seen VALUES (?)", [(key,) for key in keys])
        return self.keys.total_changes - before
