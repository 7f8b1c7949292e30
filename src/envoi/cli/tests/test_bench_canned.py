"""`envoi bench send --canned`: composing is left out, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from envoi.cli.bench.send.canned import Canned
from envoi.delivery.composers import Leased, Message
from envoi.delivery.models import Mailing

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = Leased(1, "a" * 16, "ada@example.org", "ada@example.org", 1, 0, AT)
BOB = Leased(2, "b" * 16, "bob@example.org", "bob@example.org", 2, 0, AT)


class Letters:
    """Greets by name, and takes down whose names it read and for whom it wrote."""

    def __init__(self) -> None:
        self.read: list[int] = []
        self.written: list[int] = []

    def open(self, mailing: Mailing, /) -> Letters:
        return self

    def load(self, batch: Sequence[Leased], /) -> list[str]:
        self.read += [row.id for row in batch]
        return [row.address.partition("@")[0] for row in batch]

    def write(self, row: Leased, loaded: str, /) -> Message:
        self.written.append(row.id)
        return Message("bounces@example.org", f"Hello {loaded}\r\n".encode())


def test_bob_is_sent_what_was_written_for_ada_though_his_name_was_read() -> None:
    letters = Letters()
    opened = Canned(letters).open(cast("Mailing", None))
    loaded = opened.load([ADA, BOB])
    assert loaded == ["ada", "bob"]
    assert [opened.write(row, name) for row, name in zip((ADA, BOB), loaded, strict=True)] == [
        Message("bounces@example.org", b"Hello ada\r\n")
    ] * 2
    assert (letters.read, letters.written) == ([1, 2], [1])


def test_the_next_shift_writes_its_own_first_message() -> None:
    letters = Letters()
    canned = Canned(letters)
    for row in (ADA, BOB):
        canned.open(cast("Mailing", None)).write(row, row.address)
    assert letters.written == [1, 2]
