"""Reading replies, however they are cut and whatever they hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envoi.delivery.smtp.replies import LONGEST, NoReply, Reply, ReplyParser

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=80).map(str.strip)
replies = st.tuples(st.integers(200, 599), st.lists(texts, min_size=1, max_size=4))


def on_the_wire(code: int, lines: list[str]) -> bytes:
    *first, last = lines
    return "".join([*(f"{code}-{line}\r\n" for line in first), f"{code} {last}\r\n"]).encode()


@given(st.lists(replies, max_size=4), st.data())
def test_any_cutting_gives_the_same_replies(sent: list[tuple[int, list[str]]], data: st.DataObject) -> None:
    wire = b"".join(on_the_wire(code, lines) for code, lines in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=6)))

    whole, parts = ReplyParser(), ReplyParser()
    found: list[Reply] = []
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        found += parts.feed(wire[start:end])

    assert found == whole.feed(wire)
    assert [reply.code for reply in found] == [code for code, _ in sent]
    assert b"".join(reply.raw for reply in found) == wire
    assert parts.empty


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    try:
        found = ReplyParser().feed(data)
    except NoReply:
        return
    for reply in found:
        assert 200 <= reply.code <= 599
        assert not any(character < " " and character not in "\n\t" for character in reply.text)


@pytest.mark.parametrize(
    ("wire", "reply"),
    [
        (b"250\r\n", Reply(250, "", "", b"250\r\n")),
        (b"250 2.1.0 Ok\n", Reply(250, "2.1.0", "Ok", b"250 2.1.0 Ok\n")),
        (b"550 4.1.1 contradicts\r\n", Reply(550, "", "4.1.1 contradicts", b"550 4.1.1 contradicts\r\n")),
        (b"550-5.7.1 a\r\n550 5.7.1 b\r\n", Reply(550, "5.7.1", "a\nb", b"550-5.7.1 a\r\n550 5.7.1 b\r\n")),
        (b"451-x\r\n452 y\r\n", Reply(452, "", "x\ny", b"451-x\r\n452 y\r\n")),
        (b"250 " + b"y" * 2000 + b"\r\n", Reply(250, "", "y" * 2000, b"250 " + b"y" * 2000 + b"\r\n")),
        (b"550 5.7.515\r\n", Reply(550, "5.7.515", "", b"550 5.7.515\r\n")),
    ],
)
def test_replies_as_servers_write_them(wire: bytes, reply: Reply) -> None:
    assert ReplyParser().feed(wire) == [reply]


@pytest.mark.parametrize(
    "wire", [b"\r\n", b"hello\r\n", b"25 x\r\n", b"250x\r\n", b"199 x\r\n", b"600 x\r\n", b"250-a\r\nb\r\n"]
)
def test_a_line_without_a_code_is_no_reply(wire: bytes) -> None:
    with pytest.raises(NoReply):
        ReplyParser().feed(wire)


def test_an_answer_without_an_end_is_given_up() -> None:
    parser = ReplyParser()
    for _ in range(LONGEST // 1007):
        assert parser.feed(b"250-" + b"z" * 1001 + b"\r\n") == []

    with pytest.raises(NoReply):
        parser.feed(b"250-" + b"z" * 1001)
