"""What a frame remembers of the values it has written."""

from __future__ import annotations

from envoi.content.compile import frame
from envoi.content.compile.frame import Lines


def test_what_many_share_is_written_once_and_numbers_of_one_person_each_do_not_push_it_out() -> None:
    asked: list[str] = []

    def write(value: str) -> bytes:
        asked.append(value)
        return value.encode()

    lines = Lines(write)
    assert [lines["Anna"], lines["Anna"]] == [b"Anna", b"Anna"]
    for number in range(2 * frame.MOST):
        assert lines[f"C-{number}"] == f"C-{number}".encode()
    assert lines["Anna"] == b"Anna"
    assert asked.count("Anna") == 1
    assert len(lines) == frame.MOST


def test_addresses_and_long_texts_are_not_kept() -> None:
    lines = Lines(lambda value: value.encode())
    assert lines["anna@example.net"] == b"anna@example.net"
    assert lines["x" * (frame.LONGEST + 1)] == b"x" * (frame.LONGEST + 1)
    assert len(lines) == 0
