"""A composer for tests: the shortest message that names its recipient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from envoi.delivery import composers, return_path
from envoi.delivery.composers import Compose, Leased, Message, RenderProblem
from envoi.delivery.models import Mailing


class Plain:
    """`problems` maps addresses to why their message cannot be made."""

    def __init__(self, size: int = 0) -> None:
        self.problems: dict[str, str] = {}
        self.filling = b"x" * 76 + b"\r\n"
        self.lines = size // len(self.filling)

    @contextmanager
    def registered(self, name: str = "test") -> Iterator[Plain]:
        composers.register(name, self)
        yield self

    def open(self, mailing: Mailing, /) -> Compose:
        return self.compose

    def compose(self, batch: Sequence[Leased], /) -> Sequence[Message | RenderProblem]:
        return [self._one(leased) for leased in batch]

    def _one(self, leased: Leased) -> Message | RenderProblem:
        if leased.address in self.problems:
            return RenderProblem(self.problems[leased.address])
        head = f"Message-ID: {leased.message_id}\r\nTo: {leased.address}\r\nSubject: Hello\r\n\r\nHello!\r\n"
        return Message(return_path.make(leased.id, "example.org"), head.encode() + self.filling * self.lines)
