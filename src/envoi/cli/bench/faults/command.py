"""`envoi bench faults`: kill senders at random in the middle of mailings, and count who got what.

A mail server of its own (`witness.py`) writes down what it accepted before it answers. When everything has ended, those
whose outcome is unknown are sent to again, as an operator might: whoever then has it twice must have been on that list.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, connections

from envoi.cli import crew, migrate
from envoi.cli.bench.faults import senders, witness
from envoi.cli.faults import Stop
from envoi.delivery.actions.doubts import send_again
from envoi.delivery.models import Delivery, Mailing

STALLED = 180.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kills", type=crew.at_least_one, default=200, help="default: 200")
    parser.add_argument("--recipients", type=crew.at_least_one, default=100_000, help="default: 100000")
    parser.add_argument("--workers", type=crew.at_least_one, default=2, help="processes that send (default: 2)")
    parser.add_argument("--connections", type=crew.at_least_one, default=4, help="of each worker (default: 4)")
    parser.add_argument("--seed", type=int, default=None, help="repeat the moments of an earlier run")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON, and nothing else")


def run(args: argparse.Namespace) -> int:
    def say(text: str) -> None:
        if not args.json:
            print(text, flush=True)

    args.seed = random.SystemRandom().randrange(10**6) if args.seed is None else args.seed
    migrate.migrate()
    ledger = Path(settings.ENVOI_DATA, "accepted.tsv")
    began = time.monotonic()
    with serving(ledger) as port:
        say(f"Writing the ledger for {args.recipients:,} recipients …")
        mailings = senders.seed(args.recipients, args.workers, args.connections, port)
        say(f"Sending with {args.workers} workers, killing one of them {args.kills:,} times …")
        crowd = Crowd(mailings, Ledger(ledger))
        try:
            kill_again_and_again(crowd, args)
            crowd.until_finished()
            numbers = judged(crowd, args)
            say("Sending again to those whose outcome is unknown …")
            unknown = names("unknown")
            for mailing in Mailing.objects.all():
                send_again(mailing, actor=None)
            crowd.until_finished()
        finally:
            crowd.stop()
    twice = {address for address, times in crowd.ledger.accepted.items() if times > 1}
    numbers["doubled"] = len(twice)
    numbers["doubled_not_listed"] += len(twice - unknown)
    numbers["seconds"] = round(time.monotonic() - began, 1)
    print(json.dumps(numbers, indent=2) if args.json else in_words(numbers))
    return 1 if numbers["lost"] or numbers["doubled_not_listed"] or numbers["unknown"] > numbers["bound"] else 0


class Ledger:
    """What the server wrote down, read as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self.accepted: Counter[str] = Counter()

    def total(self) -> int:
        """How many messages it has accepted by now."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._read)
                whole = file.read().rpartition(b"\n")[0]
            if whole:
                self._read += len(whole) + 1
                self.accepted.update(line.split("\t")[1] for line in whole.decode().split("\n"))
        return self.accepted.total()


@dataclass
class Crowd:
    """The workers, one for each mailing; whoever dies or ends is started again while there is work."""

    mailings: Sequence[int]
    ledger: Ledger
    pids: dict[int, int] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)

    def start_missing(self) -> None:
        """Fork, so that a worker begins at once."""
        for mailing in self.mailings:
            if mailing in self.pids:
                pid, status = os.waitpid(self.pids[mailing], os.WNOHANG)
                if not pid:
                    continue
                del self.pids[mailing]
                if not status:
                    self.done.add(mailing)
            if mailing not in self.done:
                connections.close_all()
                self.pids[mailing] = senders.fork(mailing)

    def kill(self, mailing: int) -> None:
        """As `kill -9` does."""
        pid = self.pids.pop(mailing)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def wait_for(self, accepted: int) -> None:
        """Until the server has so many, or everything has ended."""
        since, before = time.monotonic(), -1
        while (total := self.ledger.total()) < accepted:
            if total != before:
                since, before = time.monotonic(), total
            elif time.monotonic() - since > 2 and finished():
                return
            if time.monotonic() - since > STALLED:
                raise Stop(f"nothing was sent for {STALLED:.0f} seconds; {total} messages had arrived")
            self.start_missing()
            time.sleep(0.002)

    def until_finished(self) -> None:
        """Until no recipient is open."""
        deadline = time.monotonic() + STALLED
        before = -1
        while not finished():
            if (total := self.ledger.total()) != before:
                deadline, before = time.monotonic() + STALLED, total
            if time.monotonic() > deadline:
                raise Stop(f"the mailings did not end; {total} messages had arrived")
            self.start_missing()
            time.sleep(0.1)
        self.ledger.total()
        for pid in self.pids.values():
            os.waitpid(pid, 0)
        self.pids.clear()
        self.done.clear()

    def stop(self) -> None:
        """Nobody outlives the bench."""
        for mailing in list(self.pids):
            self.kill(mailing)


def kill_again_and_again(crowd: Crowd, args: argparse.Namespace) -> None:
    """At random moments spread over the whole of the mailings; one kill in ten soon after a start."""
    chance = random.Random(args.seed)  # noqa: S311 - no secret, and it must be repeatable
    portion = args.recipients / (args.kills + 1)
    for number in range(args.kills):
        if chance.random() < 0.1:
            crowd.start_missing()
            time.sleep(chance.uniform(0, 0.3))
        else:
            crowd.wait_for(int((number + chance.random()) * portion))
            time.sleep(chance.uniform(0, 0.01))
        crowd.start_missing()
        if not crowd.pids:
            raise Stop(f"everything was sent after {number} kills: take more recipients for {args.kills}")
        crowd.kill(chance.choice(list(crowd.pids)))
    crowd.start_missing()


def judged(crowd: Crowd, args: argparse.Namespace) -> dict[str, Any]:
    """The numbers, before anybody is sent to again on purpose."""
    accepted, unknown, everybody = crowd.ledger.accepted, names("unknown"), names()
    missing = {address for address in everybody if not accepted[address]}
    return {
        "database": connection.vendor,
        "recipients": len(everybody),
        "kills": args.kills,
        "workers": args.workers,
        "connections": args.connections,
        "seed": args.seed,
        "lost": len(missing - unknown) + Delivery.objects.filter(state__in=Delivery.OPEN).count(),
        "doubled": 0,
        "doubled_not_listed": sum(times > 1 for times in accepted.values()),
        "unknown": len(unknown),
        "unknown_that_arrived": len(unknown - missing),
        "bound": args.kills * args.connections,
    }


def names(state: str = "") -> set[str]:
    rows = Delivery.objects.filter(state=state) if state else Delivery.objects.all()
    return set(rows.values_list("address", flat=True))


def finished() -> bool:
    return not Mailing.objects.exclude(state=Mailing.State.FINISHED).exists()


@contextmanager
def serving(ledger: Path) -> Iterator[int]:
    """The mail server, a process that imports nothing of Envoi; its port."""
    command = [sys.executable, "-I", witness.__file__, "--ledger", str(ledger), "--patience", "0.004"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own file
    try:
        assert server.stdout is not None  # noqa: S101 - asked for above
        yield int(server.stdout.readline())
    finally:
        server.kill()
        server.communicate()


def in_words(numbers: dict[str, Any]) -> str:
    return (
        "{recipients:,} recipients, {kills:,} kills, {workers} workers with {connections} connections each, "
        "{database}, {seconds} s (seed {seed}).\n"
        "Lost: {lost}. Outcome unknown: {unknown} of at most {bound} ({unknown_that_arrived} of them had arrived).\n"
        "After sending again to the unknown ones {doubled} had it twice; {doubled_not_listed} of them were not listed."
    ).format(**numbers)
