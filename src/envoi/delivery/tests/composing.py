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

    def loading(self, batch: Sequence[Leased]) -> None:
        """Called for each batch before its messages are made; for tests in which something happens just then."""

    def open(self, mailing: Mailing, /) -> Compose:
        return Text(self, mailing)


class Text:
    """Of one mailing."""

    def __init__(self, plain: Plain, mailing: Mailing) -> None:
        self.plain, self.mailing = plain, mailing

    def load(self, batch: Sequence[Leased], /) -> Sequence[str | None]:
        self.plain.loading(batch)
        return [self.plain.problems.get(leased.address) for leased in batch]

    def write(self, leased: Leased, problem: str | None, /) -> Message | RenderProblem:
        if problem is not None:
            return RenderProblem(problem)
        identifier = self.mailing.message_id(leased.key)
        head = f"Message-ID: {identifier}\r\nTo: {leased.address}\r\nSubject: Hello\r\n\r\nHello!\r\n"
        filling = self.plain.filling * self.plain.lines
        return Message(return_path.make(leased.id, "example.org"), head.encode() + filling)
