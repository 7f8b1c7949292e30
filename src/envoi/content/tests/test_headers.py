"""Headers: what Ada writes is what the server reads, byte for byte, and nobody slips a line in."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email import policy
from email.header import decode_header, make_header
from email.parser import BytesParser
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envoi.content import bulk_headers, headers
from envoi.content.headers import HeaderError

# Anything a person may type on one line.
LINE = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=300)


def checked(line: bytes) -> str:
    """The value as an independent parser reads it."""
    assert line.endswith(b"\r\n")
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\x00", line)
    physical = line[:-2].split(b"\r\n")
    assert all(len(one) <= 998 for one in physical)
    assert all(one.startswith(b" ") and one.strip() for one in physical[1:])
    message = BytesParser(policy=policy.default).parsebytes(line + b"\r\n")
    assert len(message.keys()) == 1
    assert not message.defects
    return str(message[message.keys()[0]])


@given(LINE)
def test_any_subject_comes_back_as_it_was_written(subject: str) -> None:
    line = headers.unstructured("Subject", subject)

    assert checked(line).strip(" ") == subject.strip(" ")
    assert all(len(word) <= 75 for word in re.findall(rb"=\?utf-8\?.\?[^?]*\?=", line))
    line.decode("ascii")


@given(LINE)
def test_an_encoded_word_never_splits_a_character(subject: str) -> None:
    for word in headers.encoded_words("é" + subject):
        assert len(word) <= 75
        message = BytesParser(policy=policy.default).parsebytes(f"Subject: {word}\r\n\r\n".encode())
        assert "\ufffd" not in str(message["Subject"]) or "\ufffd" in subject


@given(LINE)
def test_any_display_name_comes_back_and_the_address_stays_bare(name: str) -> None:
    line = headers.addresses("To", [(name, "asa@example.org")])

    written = line.decode("ascii").removeprefix("To:").replace("\r\n", "").strip()
    shown, address = parseaddr(written)
    assert address == "asa@example.org"
    assert "".join(str(make_header(decode_header(shown))).split()) == "".join(name.split())
    assert max(len(one) for one in line.split(b"\r\n")) <= 78


@pytest.mark.parametrize("bad", ["a\r\nBcc: eve@example.org", "a\nb", "a\rb", "a\0b", "a\x1bb", "a\x85b", "a\u2028b"])
def test_a_line_break_or_control_character_is_refused_everywhere(bad: str) -> None:
    writers: list[Callable[[], bytes]] = [
        lambda: headers.unstructured("Subject", bad),
        lambda: headers.unstructured(bad, "x"),
        lambda: headers.structured("Precedence", bad),
        lambda: headers.addresses("To", [(bad, "ada@example.org")]),
        lambda: headers.addresses("To", [("Ada", bad)]),
        lambda: headers.uris("List-Unsubscribe", [f"https://example.org/{bad}"]),
        lambda: headers.message_id("Message-ID", f"<{bad}@example.org>"),
        lambda: headers.custom("X-Colour", bad),
    ]
    for write in writers:
        with pytest.raises(HeaderError):
            write()


@pytest.mark.parametrize("name", ["", "Sub ject", "Subject:", "Sübject", "X" * 77, "Subject\r\nBcc"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(HeaderError):
        headers.unstructured(name, "x")


@pytest.mark.parametrize("name", ["From", "bcc", "List-Unsubscribe", "Content-Type", "DKIM-Signature", "MIME-Version"])
def test_nobody_sets_a_header_that_mail_itself_depends_on(name: str) -> None:
    with pytest.raises(HeaderError, match=name):
        headers.custom(name, "x")


def test_a_long_unsubscribe_address_stays_whole() -> None:
    url = "https://mail.example.org/unsubscribe/" + "A1b2C3d4" * 40
    line = headers.uris("List-Unsubscribe", [url, "mailto:leave+token@example.org?subject=unsubscribe"])

    assert line == (f"List-Unsubscribe: <{url}>,\r\n <mailto:leave+token@example.org?subject=unsubscribe>\r\n").encode()


@pytest.mark.parametrize(
    "uri", ["https://example.org/a b", "https://example.org/<x>", "https://exämple.org/", "x" * 1000]
)
def test_an_address_that_would_need_cutting_or_encoding_is_refused(uri: str) -> None:
    with pytest.raises(HeaderError):
        headers.uris("List-Unsubscribe", [uri])


def test_a_date_is_written_in_utc() -> None:
    moment = datetime(2026, 11, 20, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))

    assert headers.date("Date", moment) == b"Date: Thu, 19 Nov 2026 23:02:03 +0000\r\n"


def test_an_international_mailbox_is_written_in_utf8_and_its_name_in_encoded_words() -> None:
    assert headers.addresses("To", [("Åsa", "åsa@example.org")]) == (
        "To: =?utf-8?q?=C3=85sa?= <åsa@example.org>\r\n".encode()
    )


def test_words_longer_than_a_line_are_encoded_rather_than_cut() -> None:
    line = headers.unstructured("Subject", "x" * 2000)

    assert checked(line) == "x" * 2000


def test_bulk_mail_carries_all_that_providers_ask_for() -> None:
    bulk = bulk_headers.Bulk(
        "Chloé & Co", "news@example.org", "help@example.org", "Nouvelles", "news.example.org", ["b12", "all", "envoi"]
    )
    lines = [
        *bulk_headers.shared(bulk),
        *bulk_headers.personal(
            to_name="Ada\r\nBcc: eve@example.org",
            to_address="ada@example.org",
            message_id="abc.1@example.org",
            date=datetime(2026, 11, 20, tzinfo=UTC),
            unsubscribe_url="https://mail.example.org/u/t",
            unsubscribe_mailto="leave+t@example.org",
        ),
    ]

    assert [line.decode() for line in lines] == [
        "From: =?utf-8?b?Q2hsb8OpICYgQ28=?= <news@example.org>\r\n",
        "Reply-To: help@example.org\r\n",
        "List-Id: Nouvelles <news.example.org>\r\n",
        "Feedback-ID: b12:all:envoi\r\n",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
        "Precedence: bulk\r\n",
        'To: "Ada Bcc: eve@example.org" <ada@example.org>\r\n',
        "Date: Fri, 20 Nov 2026 00:00:00 +0000\r\n",
        "Message-ID: <abc.1@example.org>\r\n",
        "List-Unsubscribe: <https://mail.example.org/u/t>, <mailto:leave+t@example.org>\r\n",
    ]


def test_five_fields_of_feedback_are_one_too_many() -> None:
    with pytest.raises(HeaderError):
        bulk_headers.shared(bulk_headers.Bulk("", "a@example.org", feedback=["a", "b", "c", "d", "e"]))


NAME = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        ["", "Ada", "Ada Lovelace", "d'Arc-Ciel", "J. Smith", "Åsa", "=?x?=", "a  b", " a", "x" * 59, "x" * 60]
    ),
)
ADDRESS = st.sampled_from(
    [
        "ada@example.org",
        "åsa@example.org",
        "a+b.c_d@x-y.example",
        f"{'l' * 64}@{'d' * 60}.example",
        "o'neill@example.org",
    ]
)


@given(NAME, ADDRESS)
def test_one_mailbox_is_written_as_a_list_of_one_would_be(name: str, address: str) -> None:
    assert headers.mailbox("To", name, address) == headers.addresses("To", [(headers.cleaned(name), address)])


@pytest.mark.parametrize("address", ["", "ada", "ada@example.org>\r\nBcc: eve@example.org", "a b@example.org", "a@b\n"])
@pytest.mark.parametrize("name", ["", "Ada", "Åsa"])
def test_what_is_no_address_is_refused_in_one_mailbox_too(name: str, address: str) -> None:
    with pytest.raises(HeaderError):
        headers.mailbox("To", name, address)


@given(st.text(max_size=40))
def test_the_quick_q_encoding_is_the_table(text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    assert headers._q(raw) == "".join(headers._Q[byte] for byte in raw)


@given(NAME, ADDRESS, st.sampled_from(["", "leave@example.org?subject=unsubscribe"]), st.booleans())
def test_headers_for_many_are_those_for_one(name: str, address: str, mailto: str, unsubscribing: bool) -> None:
    bulk = bulk_headers.shared(bulk_headers.Bulk("Åsa", "news@example.org"))
    url = "https://mail.example.org/u/{}" if unsubscribing else ""
    many = bulk_headers.Personal(
        b"".join(bulk),
        message_id=f"{bulk_headers.Personal.KEY}.{'k' * 16}@example.org",
        unsubscribe_url=url.format(bulk_headers.Personal.TOKEN),
        unsubscribe_mailto=mailto,
    )
    for number, moment in enumerate([datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)] * 2):
        one = bulk_headers.personal(
            to_name=name,
            to_address=address,
            message_id=f"0123456789abcde{number}.{'k' * 16}@example.org",
            date=moment,
            unsubscribe_url=url.format("AbCdEfGhIjKlMnOpQrStUv-_"),
            unsubscribe_mailto=mailto,
        )
        lines = many.lines(name, address, f"0123456789abcde{number}", moment, b"AbCdEfGhIjKlMnOpQrStUv-_")
        assert b"".join(lines) == b"".join([*bulk, *one])
