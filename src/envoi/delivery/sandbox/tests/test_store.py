"""What the sandbox mailbox keeps, finds and throws away."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from envoi.delivery.sandbox.reading import read
from envoi.delivery.sandbox.store import Mailbox, Received

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def received(to: str, subject: str = "Hello") -> Received:
    raw = f"From: Envoi <news@example.org>\r\nSubject: {subject}\r\n\r\nDear reader,\r\n".encode()
    return Received(NOON, "bounce@example.org", to, raw)


@pytest.fixture
def box(tmp_path: Path) -> Mailbox:
    return Mailbox(tmp_path / "box.sqlite3", kept=100)


def people(*numbers: int) -> list[str]:
    return [f"person{number}@example.net" for number in numbers]


def test_pages_lead_through_everything_and_back(box: Mailbox) -> None:
    box.add([received(to) for to in people(*range(10))])

    first = box.list(size=4)
    second = box.list(first.next, size=4)
    third = box.list(second.next, size=4)
    back = box.list(third.previous, size=4)

    assert [row.rcpt_to for row in first.rows] == people(9, 8, 7, 6)
    assert [row.rcpt_to for row in second.rows] == people(5, 4, 3, 2)
    assert [row.rcpt_to for row in third.rows] == people(1, 0)
    assert back.rows == second.rows
    assert (first.previous, third.next) == ("", "")
    assert box.list(back.previous, size=4).rows == first.rows
    assert box.list("nonsense", size=4).rows == first.rows


def test_every_word_must_be_found_somewhere(box: Mailbox) -> None:
    box.add([received("åsa@example.net", "=?utf-8?q?Bl=C3=A5b=C3=A4r?="), received("bob@example.net", "Offer")])

    assert [row.rcpt_to for row in box.search("BLÅBÄR åsa").rows] == ["åsa@example.net"]
    assert [row.rcpt_to for row in box.search("offer").rows] == ["bob@example.net"]
    assert box.search("offer åsa").rows == []
    assert box.search("%").rows == []
    assert len(box.search("").rows) == 2


def test_neighbours_stay_within_the_search(box: Mailbox) -> None:
    one, _two, three = box.add([received("ada@example.net"), received("bob@example.net"), received("ada@example.org")])

    assert box.neighbours(one, "ada") == (three, None)
    assert box.neighbours(three, "ada") == (None, one)
    assert box.neighbours(three) == (None, three - 1)


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    box = Mailbox(tmp_path / "box.sqlite3", kept=3)

    for number in range(5):
        box.add([received(to) for to in people(number)])

    assert [row.rcpt_to for row in box.list().rows] == people(4, 3, 2)
    assert box.count() == 3


def test_deleting_takes_the_bytes_along(box: Mailbox) -> None:
    one, two = box.add([received(to) for to in people(1, 2)])

    box.delete([one])

    assert box.get(one) is None
    assert box.get(two) is not None
    box.delete()
    assert (box.count(), box.get(two)) == (0, None)


def test_headers_that_nobody_can_read_break_nothing(box: Mailbox) -> None:
    raws = [
        b"",
        b"\r\n",
        b"Subject: =?nonsense?q?x?=\r\n\r\n",
        b"Subject: \xff\xfe\0\r\n\r\n",
        b"From: =?utf-8?b?!!?=\r\n",
    ]

    ids = box.add([Received(NOON, "", "ada@example.net", raw) for raw in raws])

    assert [box.get(number) is not None for number in ids] == [True] * len(raws)
    for raw in raws:
        assert read(raw).html == ""


def test_a_message_is_read_as_a_mail_program_does() -> None:
    raw = (
        b"From: Envoi <news@example.org>\r\n"
        b"List-Unsubscribe: <https://example.org/u/abc>,\r\n <mailto:leave@example.org>\r\n"
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        b'Content-Type: multipart/alternative; boundary="b"\r\nMIME-Version: 1.0\r\n\r\n'
        b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHej \xc3\x85sa\r\n"
        b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Hej \xc3\x85sa</p>\r\n--b--\r\n"
    )

    reading = read(raw)

    assert reading.text.strip() == "Hej Åsa"
    assert reading.html.strip() == "<p>Hej Åsa</p>"
    assert reading.one_click == "https://example.org/u/abc"
    assert reading.unsubscribe == ("https://example.org/u/abc", "mailto:leave@example.org")
    assert reading.attachments == ()
    assert reading.headers[0] == ("From", "Envoi <news@example.org>")


def test_a_list_shows_the_senders_name_or_else_the_address(box: Mailbox) -> None:
    for sender in ('"Åsa, Envoi" <news@example.org>', "<news@example.org>", "news@example.org"):
        box.add([Received(NOON, "", "ada@example.net", f"From: {sender}\r\n\r\n".encode())])

    names = [row.sender_name for row in box.list().rows]

    assert names == ["news@example.org", "news@example.org", "Åsa, Envoi"]


def test_one_click_needs_its_own_header() -> None:
    reading = read(b"List-Unsubscribe: <https://example.org/u/abc>\r\n\r\n")

    assert (reading.one_click, reading.unsubscribe) == ("", ("https://example.org/u/abc",))
