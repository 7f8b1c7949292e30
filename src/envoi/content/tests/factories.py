"""People, sources and an independent, strict reader of messages for the tests."""

from __future__ import annotations

import re
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from envoi.content.compile import Skeleton, Source, compile_email

SPECIALS = {
    "unsubscribe_url": "https://mail.example.org/u/token?a=1&b=2",
    "webview_url": "https://mail.example.org/w/token",
    "open_url": "https://mail.example.org/o/token",
}
HEADER_LINES = [b"From: news@example.org\r\n", b"To: ada@example.org\r\n"]


def person(**contact: object) -> dict[str, Any]:
    """The data of one reader."""
    base = {"email": "ada@example.org", "first_name": "Ada", "city": "London", "fields": {}}
    return {
        "contact": base | contact,
        "organisation": {"name": "Analytical Engines", "address": "1 High Street"},
    }


def compiled(body: str = "<p>Hello</p>", *, track: bool = False, **given: Any) -> Skeleton:
    """A compiled source; with `track`, links become the specials click_0, click_1 …"""
    given.setdefault("subject", "Hello")
    return compile_email(
        Source(body=body, **given), (lambda position, _url, _label: f"click_{position}") if track else None
    )


def read(message: bytes) -> EmailMessage:
    """The message as Python's own parser reads it, after every byte was checked for what must never be there."""
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\x00", message), "a bare CR, LF or NUL"
    assert max(len(line) for line in message.split(b"\r\n")) <= 998
    head, _blank, body = message.partition(b"\r\n\r\n")
    assert max(len(line) for line in body.split(b"\r\n")) <= 76
    assert all(byte < 128 for byte in body)
    for line in head.split(b"\r\n"):
        assert re.match(rb"[!-9;-~]+: ?|[ \t]+\S", line), line
    for word in re.findall(rb"=\?utf-8\?[qb]\?[^? ]*\?=", head):
        assert len(word) <= 75
    parsed = BytesParser(policy=policy.default).parsebytes(message)
    assert isinstance(parsed, EmailMessage)
    assert not [defect for part in parsed.walk() for defect in part.defects]
    return parsed


def parts(message: bytes) -> tuple[str, str]:
    """Plain and HTML part, decoded."""
    plain, html = read(message).iter_parts()
    assert plain.get_content_type() == "text/plain"
    assert html.get_content_type() == "text/html"
    return (
        plain.get_payload(decode=True).decode().replace("\r\n", "\n"),  # type: ignore[union-attr]
        html.get_payload(decode=True).decode().replace("\r\n", "\n"),  # type: ignore[union-attr]
    )
