"""Dashboards that poll over HTTP/1.1, one question after the other on each of many connections.

Run as a program of its own, so that asking does not slow down the answers: reads a `Job`
as JSON from standard input, writes a `Result` as JSON. Knows nothing of Django.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field


@dataclass(slots=True)
class Job:
    """What to ask.

    Attributes:
        questions: for each customer, the header lines that say who looks; each connection has its own customers.
        seconds: how long, after each customer asked once.
        knowing: name the answer that is known already, so that an unchanged one is not sent again.
    """

    host: str
    port: int
    path: str
    connections: int
    seconds: float
    questions: list[str]
    knowing: bool = True


@dataclass(slots=True)
class Result:
    """What came back while the time ran.

    Attributes:
        first: answers 200 before the time ran, one for each customer.
        waits: of each answer, in milliseconds.
    """

    first: int = 0
    seconds: float = 0.0
    not_modified: int = 0
    modified: int = 0
    failed: int = 0
    waits: list[float] = field(default_factory=list)


class Dashboard(asyncio.Protocol):
    """One connection that asks for its customers in turn."""

    def __init__(self, job: Job, questions: list[str], result: Result) -> None:
        head = f"GET {job.path} HTTP/1.1\r\nHost: {job.host}:{job.port}\r\nAccept: application/json\r\n"
        self.questions = [(head + question).encode() for question in questions]
        self.tags = [b""] * len(questions)
        self.knowing = job.knowing
        self.result, self.place, self.asked_at, self.until = result, 0, 0.0, 0.0
        self.buffer = bytearray()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio's types allow less
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.result.failed += 1
            self.done.set_result(None)

    def start(self, seconds: float) -> asyncio.Future[None]:
        """Ask until the time is over; with 0, for each customer once."""
        self.done = asyncio.get_running_loop().create_future()
        self.until = time.perf_counter() + seconds if seconds else 0.0
        self.place = 0
        self.ask()
        return self.done

    def ask(self) -> None:
        self.asked_at = time.perf_counter()
        tag = self.tags[self.place]
        self.transport.write(self.questions[self.place] + (b"If-None-Match: " + tag if tag else b"") + b"\r\n\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, _rest = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return
        headers: dict[bytes, bytes] = {}
        for line in bytes(head).lower().split(b"\r\n")[1:]:
            name, _colon, value = line.partition(b": ")
            headers[name] = value
        # An answer 304 has no body, whatever length it names (RFC 9110, 15.4.5).
        status = bytes(head[9:12])
        length = 0 if status == b"304" else int(headers.get(b"content-length", b"0"))
        if len(self.buffer) < len(head) + 4 + length:
            return
        self.buffer.clear()
        self.answered(status, headers.get(b"etag", b""))

    def answered(self, status: bytes, tag: bytes) -> None:
        now, timed = time.perf_counter(), bool(self.until)
        if status == b"200" and self.knowing:
            self.tags[self.place] = tag
        if not timed:
            self.result.first += status == b"200"
        elif status in {b"200", b"304"}:
            self.result.not_modified += status == b"304"
            self.result.modified += status == b"200"
            self.result.waits.append((now - self.asked_at) * 1000)
        if status not in {b"200", b"304"}:
            self.result.failed += 1
        self.place += 1
        if self.place == len(self.questions):
            self.place = 0
        if now >= self.until if timed else self.place == 0:
            self.done.set_result(None)
        else:
            self.ask()


async def poll(job: Job) -> Result:
    """Ask as the job says."""
    result, loop = Result(), asyncio.get_running_loop()
    shares = [job.questions[number :: job.connections] for number in range(job.connections)]
    made = [
        await loop.create_connection(lambda share=share: Dashboard(job, share, result), job.host, job.port)  # type: ignore[misc]
        for share in shares
        if share
    ]
    dashboards = [protocol for _transport, protocol in made]
    await asyncio.gather(*(one.start(0) for one in dashboards))
    began = time.perf_counter()
    await asyncio.gather(*(one.start(job.seconds) for one in dashboards if not one.transport.is_closing()))
    result.seconds = time.perf_counter() - began
    for transport, _protocol in made:
        transport.close()
    return result


def main() -> None:
    json.dump(asdict(asyncio.run(poll(Job(**json.load(sys.stdin))))), sys.stdout)


if __name__ == "__main__":
    main()
