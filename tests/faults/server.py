"""The mail server of the fault tests, a process of its own, and what must hold after each of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.installation import ROOT, Installation

WITNESS = ROOT / "src" / "envoi" / "cli" / "bench" / "faults" / "witness.py"
SENDING = ("-m", "tests.faults.sending")


@dataclass(frozen=True)
class Server:
    """The server and its ledger."""

    port: int
    ledger: Path
    process: subprocess.Popen[str]

    @property
    def accepted(self) -> Counter[str]:
        """How often it accepted a message to each address."""
        lines = self.ledger.read_text().splitlines() if self.ledger.exists() else []
        return Counter(line.split("\t")[1] for line in lines)

    @property
    def message_ids(self) -> dict[str, set[str]]:
        """The Message-IDs under which it accepted messages to each address."""
        found: dict[str, set[str]] = {}
        for line in self.ledger.read_text().splitlines():
            _, address, name, _ = line.split("\t")
            found.setdefault(address, set()).add(name)
        return found

    def wait_until(self, number: int) -> None:
        """Until so many messages were accepted."""
        deadline = time.monotonic() + 120
        while self.accepted.total() < number:
            assert time.monotonic() < deadline, f"only {self.accepted.total()} messages arrived"
            time.sleep(0.005)

    def wait_until_hanging(self, connections: int) -> None:
        """Until so many connections got no further."""
        assert self.process.stdout is not None
        for _ in range(connections):
            assert self.process.stdout.readline() == "hangs\n"


@contextmanager
def serving(ledger: Path, *plan: dict[str, Any], patience: float = 0.0, port: int = 0) -> Iterator[Server]:
    """A server that behaves according to `plan`; stopped at the end."""
    command = [sys.executable, "-I", str(WITNESS), "--ledger", str(ledger), "--plan", json.dumps(plan)]
    command += ["--patience", str(patience), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Server(int(process.stdout.readline()), ledger, process)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@dataclass(frozen=True)
class End:
    """How things stand in the ledger of Envoi."""

    mailing: str
    transport: str
    rows: dict[str, str]
    tallied: dict[str, int]

    @property
    def states(self) -> Counter[str]:
        return Counter(self.rows.values())

    def those(self, state: str) -> set[str]:
        return {address for address, found in self.rows.items() if found == state}


def look(here: Installation, minutes_later: float | None = None) -> End:
    """How things stand; with `minutes_later` after what the watchdog did then."""
    if minutes_later is None:
        return End(**json.loads(here.run(*SENDING, "report")))
    return End(**json.loads(here.run(*SENDING, "look", str(minutes_later)))[1])


def finish(here: Installation) -> End:
    """Send until the mailing is finished; how things stand then."""
    return End(**json.loads(here.run(*SENDING, "send")))


def check(end: End, server: Server, bound: int) -> None:
    """The invariants I1 to I4: everybody at an end, sent means accepted, doubles and doubts bounded, counts right."""
    assert set(end.rows.values()) <= {"sent", "failed", "skipped", "unknown"}
    accepted = server.accepted
    assert end.those("sent") <= set(accepted)
    assert not (end.those("failed") | end.those("skipped")) & set(accepted)
    assert {address for address, times in accepted.items() if times > 1} == set()
    assert len(end.those("unknown")) <= bound
    assert set(end.rows) - set(accepted) <= end.those("unknown") | end.those("failed") | end.those("skipped")
    assert {state: number for state, number in end.tallied.items() if number} == dict(end.states)
    assert all(len(names) == 1 for names in server.message_ids.values())
