"""`envoi bench parts`: what each part of a broadcast takes of the processor by itself, and what it takes the database.

In `bench send` senders, database and relay share the processor and disturb each other. Here one process does what a
sender's bookkeeping and composing do, one after the other, with nothing beside it; no message leaves, and every row is
written down as accepted. The difference from `bench send` is what working at the same time costs.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from django.db import connection

from envoi.audiences.models import List
from envoi.audiences.queries import Targets
from envoi.broadcasts.actions import draft
from envoi.broadcasts.actions.send import send
from envoi.cli import crew, migrate
from envoi.cli.bench.send import readers
from envoi.cli.bench.send.letter import Letter, letter
from envoi.cli.faults import Stop
from envoi.cli.serving import collect_garbage_less_often
from envoi.delivery import composers
from envoi.delivery.actions.mailing import finish_if_done
from envoi.delivery.composers import Compose, Leased
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.queries import leases
from envoi.delivery.queries.leases import Held
from envoi.delivery.queries.results import Result, settle
from envoi.delivery.shifts.shift import BATCH
from envoi.delivery.shifts.window import HANDED, places

PARTS = ("freeze", "lease", "readers", "composing", "outcomes", "last_count")
WORKER = "bench"
# Connections of `bench send`; how many outcomes are written down at once depends on them.
CONNECTIONS = 20
# Nobody listens there, since nothing is sent.
PORT = 9
WORDS = "2.0.0 Ok"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_messages(parser)
    parser.add_argument("--rounds", type=crew.at_least_one, default=3, help="the middle one counts (default: 3)")


def add_messages(parser: argparse.ArgumentParser) -> None:
    """How many, how long, and how the numbers are told."""
    parser.add_argument("--messages", type=crew.at_least_one, default=50_000, help="of each round (default: 50000)")
    parser.add_argument(
        "--size", type=crew.at_least_one, default=2560, metavar="BYTES", help="of a message (default: 2560)"
    )
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON, and nothing else")


@dataclass(slots=True)
class Taken:
    """Processor seconds of one round by part; the database's only where its process can be seen."""

    backend: Path | None
    own: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PARTS, 0.0))
    database: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PARTS, 0.0))

    @contextmanager
    def by(self, part: str) -> Iterator[None]:
        """Count what happens inside for `part`."""
        own, database = time.thread_time(), self._of_database()
        try:
            yield
        finally:
            self.own[part] += time.thread_time() - own
            self.database[part] += self._of_database() - database

    def _of_database(self) -> float:
        """Of the server's process that works for this one (Linux, Documentation/scheduler/sched-stats.rst)."""
        return int(self.backend.read_text().split()[0]) / 1e9 if self.backend is not None else 0.0


def run(args: argparse.Namespace) -> int:
    try:
        written = letter(args.size)
    except ValueError as error:
        raise Stop(f"--size {args.size}: {error}") from error
    migrate.migrate()
    everybody = readers.invent(args.messages)
    readers.sender(PORT, CONNECTIONS)
    collect_garbage_less_often()
    rounds = [measured(written, everybody, args.messages) for _ in range(args.rounds)]
    numbers = judged(rounds, args.messages, args.size)
    print(json.dumps(numbers, indent=2) if args.json else in_words(numbers))
    return 0


def measured(
    written: Letter,
    everybody: List,
    people: int,
    *,
    frozen: Callable[[], object] = lambda: None,
    composing: bool = True,
) -> Taken:
    """One broadcast that goes to nobody.

    Args:
        frozen: called when Send has returned.
        composing: write the messages, too.

    Raises:
        Stop: not every row came to its end.
    """
    taken = Taken(backend())
    made = draft.create("email", actor=None, **written)
    made = draft.change_targets(made, Targets(lists=(everybody.pk,)), Targets(), actor=None)
    with taken.by("freeze"):
        mailing = send(made, actor=None)
    frozen()
    compose = composers.named(mailing.composer).open(mailing)
    while held := leased(mailing, taken):
        worked_off(held, compose, taken, composing=composing)
    with taken.by("last_count"):
        finished = finish_if_done(mailing)
    sent = mailing.deliveries.filter(state=Delivery.State.SENT).count()
    if not finished or sent != people:
        raise Stop(f"the ledger says {sent:,} of {people:,} messages")
    return taken


def leased(mailing: Mailing, taken: Taken) -> Held | None:
    with taken.by("lease"):
        return leases.claim(mailing, WORKER, BATCH, mailing.identity.transport)


def worked_off(held: Held, compose: Compose, taken: Taken, *, composing: bool) -> None:
    """What a sender does with one lease, but for sending it."""
    with taken.by("readers"):
        loaded = compose.load(held.rows)
    if composing:
        with taken.by("composing"):
            for row, about in zip(held.rows, loaded, strict=True):
                compose.write(row, about)
    rows, step = held.rows, at_once()
    for begin in range(0, len(rows), step):
        rest = rows[begin + step :]
        with taken.by("outcomes"):
            results = accepted(rows[begin : begin + step])
            settle(held, results, offered_to=rest[:step][-1].id if rest else 0, end=not rest)


def accepted(rows: Sequence[Leased]) -> list[Result]:
    return [Result(row.id, Delivery.State.SENT, code=250, status="2.0.0", text=WORDS) for row in rows]


def at_once() -> int:
    """So many outcomes a sender writes down together when nothing holds it up."""
    return HANDED // 2 if connection.vendor == "sqlite" else places(CONNECTIONS)


def backend() -> Path | None:
    """Where the kernel counts for the server's process, when it is a PostgreSQL on this machine."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        process = Path("/proc", str(cursor.fetchone()[0]))
    try:
        named = (process / "comm").read_text().startswith("postgres")
        return process / "schedstat" if named and (process / "schedstat").read_text().split() else None
    except OSError:
        return None


def judged(rounds: Sequence[Taken], messages: int, size: int) -> dict[str, Any]:
    """The numbers as they are printed: of each part the middle of the rounds."""

    def middle(seconds: Sequence[float]) -> float:
        return round(median(seconds) / messages * 1e6, 2)

    found = {part: {"own": middle([one.own[part] for one in rounds])} for part in PARTS}
    if rounds[0].backend is not None:
        for part in PARTS:
            found[part]["database"] = middle([one.database[part] for one in rounds])
    return {
        "microseconds": found,
        "sum": {of: round(sum(taken[of] for taken in found.values()), 2) for of in found[PARTS[0]]},
        "database": connection.vendor,
        "messages": messages,
        "size": size,
    }


def in_words(numbers: dict[str, Any]) -> str:
    found = {**numbers["microseconds"], "sum": numbers["sum"]}
    server = "database" in numbers["sum"]
    lines = [
        f"{numbers['messages']:,} messages of {numbers['size']:,} bytes, {numbers['database']}; none was sent.",
        "Processor time, in µs a message:" + ("  (this process, the database's)" if server else ""),
        *(f"  {part:12}" + "".join(f"{value:8.2f}" for value in taken.values()) for part, taken in found.items()),
    ]
    return "\n".join(lines)
