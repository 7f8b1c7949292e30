"""`envoi bench limit`: how fast Postfix's `smtp-source` would be if it had Envoi's ledger to keep.

The ledger of as many messages is frozen, then `smtp-source` sends its canned ones while one process of Envoi leases and
settles the rows; beside it, in turns, `smtp-source` alone. Nothing is composed and no journal is written, so this is
about what any sender can reach whose own work costs as much as that of `smtp-source`, on this machine and database.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from django.conf import settings
from django.db import connection

from envoi.audiences.models import List
from envoi.cli import crew, migrate
from envoi.cli.bench import parts
from envoi.cli.bench.send import postfix, readers
from envoi.cli.bench.send.letter import letter
from envoi.cli.bench.send.postfix import Sink
from envoi.cli.serving import collect_garbage_less_often

# Of the letter whose ledger is kept; how long it is does not matter to the ledger.
LETTER = 2560


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parts.add_messages(parser)
    parser.add_argument("--rounds", type=crew.at_least_one, default=5, help="pairs of rounds (default: 5)")


def run(args: argparse.Namespace) -> int:
    for name in ("smtp-sink", "smtp-source"):
        postfix.program(name)
    migrate.migrate()
    everybody = readers.invent(args.messages)
    readers.sender(parts.PORT, parts.CONNECTIONS)
    collect_garbage_less_often()
    with postfix.sink(Path(settings.ENVOI_DATA)) as sink:
        source = Source(sink, args.messages, args.size)
        ratios = [paired(source, everybody, number) for number in range(args.rounds)]
    numbers = judged(ratios, args)
    print(json.dumps(numbers, indent=2) if args.json else in_words(numbers))
    return 0


@dataclass(slots=True)
class Source:
    """`smtp-source` and how much it sends."""

    sink: Sink
    messages: int
    size: int

    def send(self) -> float:
        """Seconds that it takes."""
        return postfix.reference(self.sink, parts.CONNECTIONS, self.messages, self.size).seconds


def paired(source: Source, everybody: List, number: int) -> float:
    """Seconds alone, divided by seconds beside the ledger; who goes first changes."""
    if number % 2:
        alone = source.send()
        return alone / beside_ledger(source, everybody)
    beside = beside_ledger(source, everybody)
    return source.send() / beside


def beside_ledger(source: Source, everybody: List) -> float:
    """Seconds from pressing Send until everything is sent and the ledger finished; nobody is sent to before the freeze.

    Raises:
        Stop: not every message arrived, or not every row came to its end.
    """
    began = time.monotonic()
    with ThreadPoolExecutor(1) as other:
        sending: list[Future[float]] = []
        parts.measured(
            letter(LETTER),
            everybody,
            source.messages,
            frozen=lambda: sending.append(other.submit(source.send)),
            composing=False,
        )
        for one in sending:
            one.result()
    return time.monotonic() - began


def judged(ratios: Sequence[float], args: argparse.Namespace) -> dict[str, Any]:
    """The numbers as they are printed."""
    return {
        "ratio": {"median": round(median(ratios), 4), "min": round(min(ratios), 4), "max": round(max(ratios), 4)},
        "database": connection.vendor,
        "messages": args.messages,
        "size": args.size,
    }


def in_words(numbers: dict[str, Any]) -> str:
    ratio = numbers["ratio"]
    return (
        f"{numbers['messages']:,} messages of {numbers['size']:,} bytes, {numbers['database']}.\n"
        f"smtp-source that has Envoi's ledger beside it, to smtp-source alone: {ratio['median']:.2f} in the middle, "
        f"from {ratio['min']:.2f} to {ratio['max']:.2f}."
    )
