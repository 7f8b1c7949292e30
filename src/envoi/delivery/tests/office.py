"""A line and a server that takes what it sends, each in a thread of its own."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from envoi.delivery import journal as journals
from envoi.delivery.composers import Leased, Message, RenderProblem
from envoi.delivery.journal import Journal
from envoi.delivery.machine import elapsed
from envoi.delivery.shifts.jobs import Settled
from envoi.delivery.shifts.line import Line
from envoi.delivery.smtp import Security, SmtpSettings
from envoi.delivery.smtp.tests.scripted import PATIENT, Peer, Script, Scripted

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def row(number: int) -> Leased:
    return Leased(number, f"key{number}", f"p{number}@example.net", f"p{number}@example.net", number, 0, FIRST, 7)


def written(row: Leased, loaded: Any) -> Message | RenderProblem:
    return Message(f"bounce+{row.id}@example.org", f"Subject: {loaded}\r\n\r\nHello\r\n".encode(), clean_lines=True)


class Office:
    """A server that takes everything, in a thread of its own; `got` says whose messages."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.dots = 0
        self.gate = threading.Event()
        self.gate.set()
        # Called with each recipient's name before it is answered; what it returns is said instead of "250 fine".
        self.at_rcpt: Callable[[str], str] = lambda recipient: ""

    async def __call__(self, peer: Peer) -> None:
        await peer.hello("PIPELINING", "8BITMIME")
        while True:
            line = await peer.line()
            if line.startswith("RCPT"):
                recipient = line[9:-1].partition("@")[0]
                refused = self.at_rcpt(recipient)
                if refused:
                    await peer.say(refused)
                    continue
            if line == "DATA" and refused:
                await peer.say("554 5.5.1 for nobody?")
                continue
            if line == "DATA":
                await peer.say("354 go")
                await peer.body()
                while not self.gate.is_set():
                    await asyncio.sleep(0.005)
                self.got.append(recipient)
            if line == "QUIT":
                await peer.say("221 bye")
                return
            await peer.say("250 2.0.0 fine")


@contextmanager
def serving(script: Script) -> Iterator[int]:
    port: queue.SimpleQueue[int] = queue.SimpleQueue()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        async with Scripted([script]) as server:
            port.put(server.port)
            await over.wait()
        if talks := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(talks, timeout=5)
        for _ in range(3):  # the loop closes what they left
            await asyncio.sleep(0)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        yield port.get(timeout=60)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


@contextmanager
def line_to(
    office: Script, journal: Journal, write: Callable[[Leased, Any], Message | RenderProblem] = written
) -> Iterator[Line]:
    with serving(office) as port:
        settings = SmtpSettings("127.0.0.1", port, Security.NONE, timeouts=PATIENT)
        with Line(settings, 1, 100, journal, write) as line:
            line.lease_until(elapsed() + 60)
            line.looked(elapsed() + 60)
            yield line


def outcomes(line: Line, number: int) -> dict[int, Any]:
    found: list[Settled] = []
    until = elapsed() + 5
    while len(found) < number and elapsed() < until:
        found += line.outcomes(0.5, 10)
    assert len({row.id for row, _ in found}) == len(found) == number
    return {row.id: outcome for row, outcome in found}


def dots(journal: Journal) -> dict[int, int]:
    record = journals.read(journal.path.read_bytes())
    assert record is not None
    return record.dots
