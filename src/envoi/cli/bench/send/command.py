"""`envoi bench send`: the whole of a broadcast, from pressing Send to “finished”, beside Postfix's own `smtp-source`.

Both send messages of one size over as many connections to the same `smtp-sink`, in turns; the ratio of each pair of
rounds is what counts, since it says how fast this machine is just then. The senders are the processes that
`envoi up` runs, forked in the same way.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from django.conf import settings
from django.db import connection, connections

from envoi.audiences.models import List
from envoi.cli import crew, migrate
from envoi.cli.bench.send import canned, postfix, readers
from envoi.cli.bench.send import letter as letters
from envoi.cli.bench.send.letter import Letter
from envoi.cli.bench.send.meter import Meter, peak_mb
from envoi.cli.bench.send.postfix import Reference
from envoi.cli.bench.send.round import Bench, Round
from envoi.cli.compiled import HOW, is_compiled
from envoi.cli.faults import Stop
from envoi.cli.supervisor import Supervisor
from envoi.delivery.models import Mailing

THREADS = {"smtp line": "line"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--messages", type=crew.at_least_one, default=50_000, help="of each round (default: 50000)")
    parser.add_argument(
        "--size", type=crew.at_least_one, default=2560, metavar="BYTES", help="of a message (default: 2560)"
    )
    parser.add_argument("--connections", type=crew.at_least_one, default=20, help="at once, of each side (default: 20)")
    parser.add_argument("--rounds", type=crew.at_least_one, default=5, help="pairs of rounds (default: 5)")
    parser.add_argument(
        "--senders", type=crew.at_least_one, default=None, help="processes (default: one more than cores)"
    )
    parser.add_argument("--flow", action="store_true", help="a message with conditions and loops")
    parser.add_argument(
        "--canned", action="store_true", help="everybody is sent the message of the first: composing costs nothing"
    )
    parser.add_argument(
        "--personal",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="measure personal messages while one more broadcast runs (default: yes)",
    )
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON, and nothing else")


@dataclass(slots=True)
class Found:
    """What the rounds gave."""

    rounds: list[Round] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    sink_of_reference: float = 0.0
    personal: list[float] = field(default_factory=list)
    peaks: dict[str, float] = field(default_factory=dict)


def run(args: argparse.Namespace) -> int:
    def say(text: str) -> None:
        if not args.json:
            print(text, flush=True)

    for name in ("smtp-sink", "smtp-source"):
        postfix.program(name)
    letter = written(args.size, args.flow)
    migrate.migrate()
    if args.canned:
        canned.compose_once()
    # The senders are forked before this process has grown: their memory is what it is in `envoi up`.
    with postfix.sink(Path(settings.ENVOI_DATA)) as sink, background(args.senders) as supervisor:
        say(f"Inventing {args.messages:,} people …")
        everybody = readers.invent(args.messages)
        readers.sender(sink.port, args.connections)
        found = measured(args, prepared(args.messages, letter, everybody, sink, supervisor), say)
    numbers = judged(args, found)
    print(json.dumps(numbers, indent=2) if args.json else in_words(numbers, found))
    return 0


@contextmanager
def background(number: int | None) -> Iterator[Supervisor]:
    """Scheduler, worker and senders as `envoi up` runs them."""
    connections.close_all()
    gc.freeze()
    children = [crew.scheduler(), *crew.children(senders=number)]
    supervisor = Supervisor(children, lambda name, line: print(f"{name}: {line}", file=sys.stderr))
    supervisor.start()
    try:
        yield supervisor
    finally:
        connections.close_all()
        supervisor.stop()


def prepared(people: int, letter: Letter, everybody: List, sink: postfix.Sink, supervisor: Supervisor) -> Bench:
    meter = Meter(THREADS)
    meter.watch("sink", sink.pid)

    def tick() -> None:
        supervisor.tick()
        for child in supervisor.children:
            if child.pid:
                meter.watch(child.name.partition(" ")[0], child.pid)
        meter.look()

    tick()
    return Bench(letter, everybody, people, sink, meter, tick)


def written(size: int, flow: bool) -> Letter:
    try:
        return letters.letter(size, flow=flow)
    except ValueError as error:
        raise Stop(f"--size {size}: {error}") from error


def measured(args: argparse.Namespace, bench: Bench, say: Callable[[str], None]) -> Found:
    """Rounds of both, in turns; who goes first changes each time."""
    found, size = Found(), args.size

    def ours() -> None:
        nonlocal size
        found.rounds.append(bench.broadcast())
        last = Mailing.objects.order_by("-pk")[0]
        size = bench.size(last)
        say(f"  Envoi        {args.messages / found.rounds[-1].seconds:8,.0f} messages/s of {size:,} bytes")

    def theirs() -> None:
        bench.meter.look()
        before = bench.meter.seconds()["sink"]
        found.references.append(bench.reference(args.connections, size))
        bench.meter.look()
        found.sink_of_reference += bench.meter.seconds()["sink"] - before
        say(f"  smtp-source  {args.messages / found.references[-1].seconds:8,.0f} messages/s of {size:,} bytes")

    for number in range(args.rounds):
        say(f"Round {number + 1} of {args.rounds}")
        for turn in (theirs, ours) if number % 2 else (ours, theirs):
            turn()
    if args.personal:
        say("Personal messages while a broadcast runs …")
        found.personal = bench.personal()
    found.peaks = {"bench": round(peak_mb(bench.own_pid) or 0.0, 1), **bench.meter.peaks()}
    return found


def judged(args: argparse.Namespace, found: Found) -> dict[str, Any]:
    """The numbers as they are printed."""
    pairs = zip(found.rounds, found.references, strict=True)
    ratios = [reference.seconds / ours.seconds for ours, reference in pairs]
    parts = {part: sum(one.cpu[part] for one in found.rounds) for part in found.rounds[0].cpu}
    parts["smtp_source"] = sum(one.cpu for one in found.references)
    parts["sink_of_smtp_source"] = found.sink_of_reference
    thousands = args.messages * args.rounds / 1000
    numbers: dict[str, Any] = {
        "ratio": {"median": digits(median(ratios)), "min": digits(min(ratios)), "max": digits(max(ratios))},
        "envoi_per_second": round(args.messages / median(one.seconds for one in found.rounds)),
        "reference_per_second": round(args.messages / median(one.seconds for one in found.references)),
        "cpu_seconds_per_1000": {part: digits(parts[part] / thousands) for part in sorted(parts)},
        "peak_rss_mb": found.peaks,
        "database": connection.vendor,
        "messages": args.messages,
        "size": args.size,
        "compiled": is_compiled(),
    }
    if args.canned:
        numbers["canned"] = True
    if found.personal:
        numbers["personal_seconds"] = {"median": digits(median(found.personal)), "max": digits(max(found.personal))}
    return numbers


def digits(value: float) -> float:
    return round(value, 4)


def in_words(numbers: dict[str, Any], found: Found) -> str:
    ratio = numbers["ratio"]
    freeze = median(one.freeze_seconds for one in found.rounds)
    lines = [
        f"{numbers['messages']:,} messages of {numbers['size']:,} bytes, {numbers['database']}, all of them arrived"
        + (", all the same." if "canned" in numbers else ".")
        + ("" if numbers["compiled"] else f" Sending is not compiled: {HOW}."),
        f"Envoi {numbers['envoi_per_second']:,} messages/s (of that {freeze:.2f} s until Send returned), "
        f"smtp-source {numbers['reference_per_second']:,}.",
        f"Ratio {ratio['median']:.2f} in the middle, from {ratio['min']:.2f} to {ratio['max']:.2f}.",
        "Processor seconds per 1,000 messages:",
        *(f"  {part:24} {value:.4f}" for part, value in numbers["cpu_seconds_per_1000"].items()),
        "Most memory:",
        *(f"  {process:24} {value:.0f} MB" for process, value in numbers["peak_rss_mb"].items()),
    ]
    if "personal_seconds" in numbers:
        personal = numbers["personal_seconds"]
        lines.append(
            f"A personal message while a broadcast runs: {personal['median']:.2f} s in the middle, "
            f"{personal['max']:.2f} s at most ({len(found.personal)} messages)."
        )
    return "\n".join(lines)
