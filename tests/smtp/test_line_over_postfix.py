"""The line of a worker against a real Postfix, also when its processes are killed: what is said is true."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from envoi.delivery import journal as journals
from envoi.delivery.composers import Leased, Message
from envoi.delivery.journal import Journal
from envoi.delivery.machine import elapsed
from envoi.delivery.shifts.jobs import Job
from envoi.delivery.shifts.line import Line
from envoi.delivery.smtp import Accepted, Phase, Refused, Security, SmtpSettings, Unknown
from tests.smtp.postfix import Postfix

pytestmark = pytest.mark.postfix

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
CONNECTIONS = 4


def job(number: int, name: str) -> Job:
    address = f"{name}@example.net"
    return Job(Leased(number, f"key{number}", address, address, number, 0, FIRST, 3), None)


def write(row: Leased, loaded: Any) -> Message:
    text = f"Subject: {row.id}\r\nMessage-ID: <{row.key}@example.org>\r\n\r\nDear {row.address},\r\n"
    return Message(f"bounce+{row.id}@example.org", text.encode() + b"filling\r\n" * 300, clean_lines=True)


def outcomes_of(line: Line, jobs: list[Job], between: Any = None) -> dict[int, Any]:
    line.put(jobs)
    found: dict[int, Any] = {}
    until = elapsed() + 30
    while len(found) < len(jobs) and elapsed() < until:
        found.update((row.id, outcome) for row, outcome in line.outcomes(0.1, 20))
        if between is not None:
            between(len(found))
    return found


def delivered(relay: Postfix, accepted: set[int]) -> Counter[int]:
    """What lies in the maildir as soon as all that was accepted does."""
    until = elapsed() + 30
    while True:
        found = Counter(int(str(message_from_bytes(raw)["Subject"])) for raw in relay.messages())
        if accepted <= set(found) or elapsed() > until:
            return found
        time.sleep(0.05)


def line_to(relay: Postfix, journal: Journal) -> Line:
    line = Line(SmtpSettings("127.0.0.1", relay.port, Security.NONE), CONNECTIONS, 50, journal, write)
    line.lease_until(elapsed() + 60)
    line.looked(elapsed() + 60)
    return line


def test_refusals_among_many_concern_their_own_messages_only(relay: Postfix, tmp_path: Path) -> None:
    relay.empty()
    kinds = {7: "nobody", 11: "full"}
    jobs = [job(number, f"{kinds.get(number % 20, 'p')}+{number}") for number in range(300)]
    journal = Journal(tmp_path, "worker", "mailing")

    with line_to(relay, journal) as line:
        found = outcomes_of(line, jobs)
    record = journals.read(journal.path.read_bytes())
    journal.close(keep=False)

    good = {number for number in range(300) if number % 20 not in kinds}
    assert {number for number, outcome in found.items() if isinstance(outcome, Accepted)} == good
    assert {found[number].reply.status for number in range(7, 300, 20)} == {"5.1.1"}
    assert {found[number].reply.status for number in range(11, 300, 20)} == {"4.2.2"}
    assert {found[number].phase for number in set(range(300)) - good} == {Phase.RCPT}
    assert len({found[number].reply.text for number in good}) == len(good)
    assert delivered(relay, good) == Counter(good)
    assert record is not None
    assert set(record.dots) == set(record.answers) == good


def test_what_is_said_stays_true_while_the_servers_processes_are_killed(relay: Postfix, tmp_path: Path) -> None:
    relay.empty()
    jobs = [job(number, f"p+{number}") for number in range(400)]
    journal = Journal(tmp_path, "worker", "mailing")
    killed: list[int] = []

    def kill(settled: int) -> None:
        # The oldest, and not too often: a master whose processes die young lets nobody in for a minute.
        if settled > 60 * (len(killed) + 1) and (sessions := _sessions(relay)):
            os.kill(min(sessions), signal.SIGKILL)
            killed.append(settled)

    with line_to(relay, journal) as line:
        found = outcomes_of(line, jobs, kill)
    record = journals.read(journal.path.read_bytes())
    journal.close(keep=False)

    assert killed
    assert len(found) == 400
    accepted = {number for number, outcome in found.items() if isinstance(outcome, Accepted)}
    unknown = {number for number, outcome in found.items() if isinstance(outcome, Unknown)}
    got = delivered(relay, accepted)
    assert got.total() == len(got)
    assert accepted <= set(got) <= accepted | unknown
    assert len(unknown) <= len(killed)
    assert record is not None
    assert set(record.answers) == accepted | {
        number for number, outcome in found.items() if isinstance(outcome, Refused) and outcome.phase == Phase.DOT_SENT
    }
    assert unknown <= set(record.dots)


def _sessions(relay: Postfix) -> list[int]:
    """The processes in which this Postfix, and no other, talks to its clients."""
    master = (relay.folder / "queue/pid/master.pid").read_text().strip()
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return [int(child) for child in children if _name(child) == "smtpd"]


def _name(process: str) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:
        return ""
