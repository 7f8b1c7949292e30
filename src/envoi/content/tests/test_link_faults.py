"""A slip in a link is said before anybody gets the message."""

from __future__ import annotations

import pytest

from envoi.content.compile import ContentError, Source, compile_email


def faults(body: str, **given: str) -> list[tuple[str, int, str]]:
    try:
        compile_email(Source(subject="Hello", body=body, **given))  # type: ignore[arg-type]
    except ContentError as error:
        return [(problem.field, problem.line, problem.message) for problem in error.problems]
    return []


SLIPS = [
    *("htp:/x", "htps://example.org", "ttps://example.org", "http:/example.org", "https:example.org", "https//x.org"),
    *("http://", "https:///news", "www.example.org", "HTPP://example.org", " htp:/x", "https://?a=1"),
]
MEANT = [
    *("href='https://example.org'", "href='HTTP://example.org/a b'", "href='#top'", "href='mailto:ada@example.org'"),
    *("href='tel:+3212345'", "href='myapp://open'", "href='{{ contact.city }}'", "href='https://{{ contact.city }}/x'"),
    *("href='//example.org/x'", "href='sms:123'", "name='top'", "href='{{ unsubscribe_url }}'", "href='news/'"),
    "href='{% if contact.city %}https://example.org{% endif %}'",
]


@pytest.mark.parametrize("address", SLIPS)
def test_a_misspelt_address_is_named_with_its_line(address: str) -> None:
    said = f"“{address.strip()}” is no complete address. Write it with https:// in front."
    assert faults(f"<p>Hello</p>\n\n<p><a\nhref='{address}'>Read</a></p>") == [("body", 4, said)]


@pytest.mark.parametrize("href", ['href=""', "href=''", 'href="  "', "href", "HREF = ''"])
def test_a_link_without_an_address_is_named(href: str) -> None:
    [(field, line, message)] = faults(f"<p>Hello</p>\n<a class='x' {href}>Read</a>")
    assert (field, line) == ("body", 2)
    assert message == "A link has no address. Write one into href, or take the link away."


def test_rich_text_whose_cleaning_would_take_the_address_away_is_told_as_well() -> None:
    [(field, line, _message)] = faults('<p><a href="htp:/x">Read</a></p>', body_type="rich_text")
    assert (field, line) == ("body", 1)


def test_a_link_of_the_layout_is_told_there() -> None:
    layout = '{{ content }}\n<a href="www.example.org/{{ contact.city }}">x</a>'
    [(field, line, message)] = faults("<p>x</p>", layout_html=layout)
    assert (field, line) == ("layout_html", 2)
    assert "“www.example.org/…”" in message


@pytest.mark.parametrize("link", MEANT)
def test_what_may_well_be_meant_is_no_fault(link: str) -> None:
    assert faults(f"<p><a {link}>Read</a></p>") == []
