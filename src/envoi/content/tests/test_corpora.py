"""Real texts that nobody here wrote: naughty strings, other people's e-mail templates, payloads against sanitisers."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from html import unescape
from pathlib import Path

import pytest

from envoi.content import bulk_headers, headers
from envoi.content.compile import ContentError, Skeleton
from envoi.content.tests.factories import HEADER_LINES, SPECIALS, compiled, parts, person, read

CORPORA = Path(__file__).parents[5] / "shared" / "corpora"
# A few of our own, so that the test says something where the collections are not at hand.
OWN = [
    "",
    " ",
    "O'Brien",
    "Åsa Öström",
    "\u202etest",
    "👩‍👩‍👧",
    "<script>alert(1)</script>",
    "{{ 7 | times: 7 }}",
    "a\r\nb",
    "\ud83d",
]


def naughty() -> list[str]:
    path = CORPORA / "naughty-strings" / "blns.json"
    return OWN + (json.loads(path.read_text(encoding="utf-8")) if path.exists() else [])


def templates() -> list[Path]:
    """E-mails; those that are written for another template language are none of ours."""
    found = sorted((CORPORA / "email-templates").rglob("*.html"))
    return [path for path in found if not re.search(r"\{\{[#>/]|\{\{\s*root|\A---", path.read_text(encoding="utf-8"))]


def payloads() -> list[str]:
    path = CORPORA / "xss" / "payloads.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return ["<img src=x onerror=alert(1)>", *(one["payload"] for one in found)]


@lru_cache
def skeleton(flow: str) -> Skeleton:
    return compiled(
        f"{flow}<h1>{{{{ contact.first_name }}}}</h1>"
        '<p title="{{ contact.first_name }}">[{{ contact.first_name }}]</p>'
        '<a href="https://example.org/{{ contact.first_name }}">x</a><a href="{{ contact.first_name }}">y</a>'
        '<p style="color:{{ contact.first_name }}">z</p>',
        subject="For {{ contact.first_name }}!",
        preheader="{{ contact.first_name }}",
    )


def plain_of(value: str) -> str:
    """What a reader may expect of a value: its characters without controls."""
    return re.sub(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U000f0000-\U0010ffff]",
        "",
        value.replace("\r\n", "\n").replace("\r", "\n"),
    )


@pytest.mark.parametrize("flow", ["", "{% if true %}{% endif %}"])
def test_every_naughty_string_goes_through_every_slot_and_header(flow: str) -> None:
    for value in naughty():
        lines = [
            *HEADER_LINES[:1],
            headers.addresses("To", [(headers.cleaned(value), "ada@example.org")]),
            headers.custom("X-Greeting", headers.cleaned(value)),
        ]
        message = skeleton(flow).message(person(first_name=value), SPECIALS, lines)

        parsed = read(message)
        assert parsed.keys() == ["From", "To", "X-Greeting", "Subject", "MIME-Version", "Content-Type"]
        plain, html = parts(message)
        expected = plain_of(value)
        assert f"[{expected}]" in unescape(html) or "&" in value
        assert f"[{expected}]".replace("\xa0", " ") in plain.replace("\xa0", " ")
        subject = re.sub(r"\s+", "", str(parsed["Subject"]))
        assert subject == re.sub(r"\s+", "", f"For{expected}!")


@pytest.mark.parametrize("path", templates(), ids=lambda path: "/".join(path.parts[-3:]))
def test_other_peoples_templates_lose_no_word_and_no_link(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    try:
        shown = compiled(source, track=True)
    except ContentError as error:
        pytest.fail("; ".join(map(str, error.problems)))

    specials = SPECIALS | {f"click_{link.position}": f"https://t.example.org/{link.position}" for link in shown.links}
    rendered = shown.render(person(), specials)
    assert words(source) <= words(rendered.html)
    wanted = re.findall(r"<a\b[^>]*\shref=[\"']\s*(https?://[^\"']+)", re.sub(r"<!--.*?-->", "", source, flags=re.S))
    assert len([link for link in shown.links if link.url.strip() in {unescape(one) for one in wanted}]) >= len(wanted)
    for link in shown.links:
        assert specials[f"click_{link.position}"] in rendered.html
    read(shown.message(person(), specials, HEADER_LINES))


def words(html: str) -> set[str]:
    html = re.sub(r"<!--.*?-->|<(style|script|title)\b.*?</\1>", " ", html, flags=re.DOTALL | re.IGNORECASE)
    return set(re.findall(r"[A-Za-z]{3,}", unescape(re.sub(r"<[^>]*>", " ", html))))


def test_no_payload_leaves_a_script_or_a_handler_when_it_comes_from_a_contact() -> None:
    for payload in payloads():
        html = skeleton("").render(person(first_name=payload), SPECIALS).html

        assert set(re.findall(r"<([a-zA-Z][^\s>/]*)", html)) <= {
            "html", "head", "meta", "title", "body", "div", "h1", "p", "a",
        }  # fmt: skip


def test_every_payload_written_as_rich_text_still_compiles_to_a_message() -> None:
    for payload in payloads():
        try:
            message = compiled(payload or "x", body_type="rich_text").message(person(), SPECIALS, HEADER_LINES)
        except ContentError:
            continue
        _plain, html = parts(message)
        assert not re.search(
            r"<script|<iframe|<object|<[^>]*\son\w+=", re.sub(r"\"[^\"]*\"", '""', html), re.IGNORECASE
        )


def test_bulk_headers_take_any_name() -> None:
    for value in naughty():
        shared = bulk_headers.shared(
            bulk_headers.Bulk(headers.cleaned(value), "news@example.org", list_name=value, list_id="a.b")
        )

        assert len(shared) == 4
        assert all(line.count(b"\r\n") == len(re.findall(rb"\r\n[ ]", line)) + 1 for line in shared)
