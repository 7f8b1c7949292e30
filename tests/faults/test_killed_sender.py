"""A sender is killed in mid-shift, and nobody is lost or doubled without being named.

The server stands outside Envoi and writes down what it accepted before it answers.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.faults import installation

PEOPLE = 600
WINDOW = 100
CONNECTIONS = 4
SENDING = ("-m", "tests.faults.sending")


class Witness:
    """Accepts everything, slowly, and remembers it before it says so."""

    def __init__(self) -> None:
        self.accepted: Counter[str] = Counter()
        self.patience = 0.004

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.accepted.update(envelope.rcpt_tos)
        await asyncio.sleep(self.patience)
        return "250 2.0.0 Taken"


@pytest.fixture
def witness() -> Iterator[tuple[Witness, int]]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    handler = Witness()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


def report(here: installation.Installation) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(here.run(*SENDING, "report"))
    return found


def wait_until_accepted(witness: Witness, number: int) -> None:
    for _ in range(600):
        if witness.accepted.total() >= number:
            return
        time.sleep(0.05)
    raise AssertionError(f"only {witness.accepted.total()} messages arrived")


@pytest.mark.slow
def test_after_a_kill_everybody_reaches_an_end_and_only_what_each_connection_carried_is_in_doubt(
    tmp_path: Path, witness: tuple[Witness, int]
) -> None:
    server, port = witness
    here = installation.make(tmp_path)
    here.run(*SENDING, "seed", str(port), str(PEOPLE))
    for kills, arrived in enumerate((60, 300), start=1):
        sender = here.start(*SENDING, "send")
        wait_until_accepted(server, arrived)
        sender.send_signal(signal.SIGKILL)
        sender.wait()
        before, after = json.loads(here.run(*SENDING, "look", "0"))
        assert before["mailing"] == after["mailing"] == "running"
        assert 0 < Counter(before["rows"].values())["in_doubt"] <= WINDOW
        states = Counter(after["rows"].values())
        assert states["in_doubt"] == states["leased"] == 0
        assert states["unknown"] <= kills * CONNECTIONS
    here.run(*SENDING, "send")

    end = report(here)
    assert end["mailing"] == "finished"
    states = Counter(end["rows"].values())
    assert set(states) == {"sent", "unknown"}
    assert end["tallied"] == dict(states)
    unknown = {address for address, state in end["rows"].items() if state == "unknown"}
    assert {address for address, times in server.accepted.items() if times > 1} == set()
    assert set(end["rows"]) - set(server.accepted) <= unknown


@pytest.mark.slow
def test_two_workers_in_one_mailing_send_once_each(tmp_path: Path, witness: tuple[Witness, int]) -> None:
    server, port = witness
    here = installation.make(tmp_path)
    here.run(*SENDING, "seed", str(port), str(PEOPLE))
    workers = [here.start(*SENDING, "send-crowded") for _ in range(2)]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0]
    end = report(here)
    assert Counter(end["rows"].values()) == {"sent": PEOPLE}
    assert end["tallied"] == {"sent": PEOPLE}
    assert server.accepted == Counter(end["rows"].keys())
