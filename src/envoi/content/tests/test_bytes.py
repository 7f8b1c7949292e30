"""What goes over the wire: values never break a line, and both ways of rendering give the same bytes."""

from __future__ import annotations

import quopri
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envoi.content import mime
from envoi.content.compile.constructs import Construct, Constructs, Hole, Kind, Run, split
from envoi.content.compile.parts import Part
from envoi.content.escaping import Place
from envoi.content.tests import factories

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Co", "Cn"), include_characters="\n\t"), max_size=200)
DOTS = st.text(st.sampled_from("..a=é\n "), max_size=300)
VALUE = st.one_of(
    st.text(max_size=200), st.none(), st.booleans(), st.integers(-9999, 9999), st.floats(-10, 10), st.lists(st.text())
)
EXPRESSION = st.sampled_from(
    [
        "contact.first_name",
        "contact.first_name | default: 'fri\"end & <co>'",
        "contact.first_name | upcase",
        "contact['first_name']",
        "contact.fields.colour",
        'contact.nothing | default: "x"',
        "contact.first_name | append: '<' | truncate: 20",
        "contact.first_name | escape",
        "unsubscribe_url",
        "contact.first_name | size",
    ]
)
HTML_PLACES = st.sampled_from([Place.HTML, Place.ATTRIBUTE, Place.URL, Place.URL_PART, Place.CSS])
TEXT_PLACES = st.sampled_from([Place.TEXT, Place.TEXT_URL, Place.TEXT_URL_PART, Place.HEADER])


@given(st.lists(st.one_of(st.text(), DOTS), min_size=3, max_size=3), st.booleans())
def test_no_text_whatever_makes_a_line_end_that_is_none_or_begins_a_line_with_a_dot(
    runs: list[str], base64: bool
) -> None:
    body = mime.joined(runs, base64=base64)
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\x00", body)
    assert not any(line.startswith(b".") for line in body.split(b"\r\n"))


@given(st.one_of(TEXT, DOTS))
def test_quoted_printable_says_what_was_said_in_lines_of_76(text: str) -> None:
    encoded = mime.quoted_printable(text)

    assert quopri.decodestring(encoded).decode().replace("\r\n", "\n") == text
    assert all(len(line) <= 76 for line in (encoded + b"=").split(b"\r\n"))
    assert not any(line.endswith((b" ", b"\t")) or line.startswith(b".") for line in encoded.split(b"\r\n"))


@given(st.lists(TEXT, min_size=1, max_size=9).filter(lambda runs: len(runs) % 2 == 1), st.booleans())
def test_values_between_fixed_words_never_break_a_line(runs: list[str], base64: bool) -> None:
    body = mime.joined(runs, base64=base64)
    head = mime.HEADERS + b"\r\n" + mime.opening(base64=base64, kind="plain")

    part = next(iter(factories.read(head + body + mime.CLOSING).iter_parts()))
    found = part.get_payload(decode=True)
    assert isinstance(found, bytes)
    assert found.decode().replace("\r\n", "\n") == "".join(runs)


@given(
    st.lists(st.one_of(TEXT, st.tuples(EXPRESSION, HTML_PLACES)), max_size=8),
    VALUE,
    VALUE,
)
def test_liquid_and_the_straight_way_give_the_same_html_bytes(
    wanted: list[str | tuple[str, Place]], name: object, colour: object
) -> None:
    same_both_ways(wanted, name, colour, html=True)


@given(st.lists(st.one_of(TEXT, st.tuples(EXPRESSION, TEXT_PLACES)), max_size=8), VALUE, VALUE)
def test_liquid_and_the_straight_way_give_the_same_plain_bytes(
    wanted: list[str | tuple[str, Place]], name: object, colour: object
) -> None:
    same_both_ways(wanted, name, colour, html=False)


def same_both_ways(wanted: list[str | tuple[str, Place]], name: object, colour: object, *, html: bool) -> None:
    constructs = Constructs()
    runs: list[Run] = []
    for one in wanted:
        if isinstance(one, str):
            runs.append(one)
        else:
            runs.append(Hole(constructs.add(Construct(Kind.OUTPUT, one[0], "body", 1)), one[1]))
    data = factories.person(first_name=name, fields={"colour": colour})

    straight = Part(runs, constructs, html=html)
    by_liquid = Part(runs, constructs, html=html, flow=True)

    assert by_liquid.text(data, factories.SPECIALS) == straight.text(data, factories.SPECIALS)
    assert by_liquid.encoded(data, factories.SPECIALS) == straight.encoded(data, factories.SPECIALS)


@given(VALUE, VALUE)
def test_values_beside_conditions_and_loops_are_the_same_bytes_too(name: object, colour: object) -> None:
    source = (
        "a {{ contact.first_name }}{% if contact.fields.colour %}<b>{{ contact.fields.colour }}</b>{% endif %}"
        "{% for i in (1..2) %}{{ i }}{{ contact.first_name | upcase }}{% endfor %}"
        "{% capture c %}{{ contact.first_name }}{% endcapture %}{{ c }}{% assign organisation = contact %}"
        "{{ organisation.first_name }}{% if contact.nothing %}{{ 1 | divided_by: contact.nothing }}{% endif %}"
    )
    constructs = Constructs()
    runs = list(split(constructs.taken_out(source, "body"), lambda _at: Place.HTML))
    data = factories.person(first_name=name, fields={"colour": colour})

    quick, by_liquid = (Part(runs, constructs, html=True, flow=flow) for flow in (False, True))

    assert quick.encoded(data, {}) == by_liquid.encoded(data, {})
    assert quick.text(data, {}) == by_liquid.text(data, {})


@given(st.text(max_size=300), st.text(max_size=300))
def test_whatever_a_contact_holds_the_message_keeps_its_shape(name: str, city: str) -> None:
    message = SKELETON.message(factories.person(first_name=name, city=city), factories.SPECIALS, factories.HEADER_LINES)

    parsed = factories.read(message)
    assert parsed.keys() == ["From", "To", "Subject", "MIME-Version", "Content-Type"]
    assert [part.get_content_type() for part in parsed.walk()] == ["multipart/alternative", "text/plain", "text/html"]


@pytest.mark.parametrize(
    "body",
    [
        "<p>a&#13;b&#x0D;&#10;&#0;</p>",
        "<p title='a&#13;b'><img alt='x&#13;y' src='a&#13;b'></p><pre>a&#13;\nb</pre>",
        "<a href='https://example.org/&#13;b'>a&#13;c</a>{% if true %}a&#13;b{% endif %}",
        "<style>a&#13;{}</style><!--[if mso]>a&#13;b<![endif]-->",
    ],
)
@pytest.mark.parametrize("text", ["", "a&#13;b\rc"])
def test_an_author_cannot_write_a_bare_line_end_into_a_message(body: str, text: str) -> None:
    skeleton = factories.compiled(body, text=text, subject="a&#13;b\rc", preheader="p&#13;q")
    factories.read(skeleton.message(factories.person(first_name="a\rb"), {}, factories.HEADER_LINES))


@pytest.mark.parametrize("text", ["Привет, Ада. " * 40, "こんにちは、世界。" * 40])
def test_other_scripts_go_as_base64_and_come_back(text: str) -> None:
    message = factories.compiled(f"<p>{text} {{{{ contact.first_name }}}}</p>").message(
        factories.person(first_name="Ада"), factories.SPECIALS, factories.HEADER_LINES
    )

    plain, html = factories.parts(message)
    assert message.count(b"Content-Transfer-Encoding: base64") == 2
    assert text.strip() in html
    assert "Ада" in plain


SKELETON = factories.compiled(
    '<p title="{{ contact.city }}">Dear {{ contact.first_name | default: "friend" }},</p>'
    '<a href="https://example.org/{{ contact.city }}?n={{ contact.first_name }}">{{ contact.city }}</a>'
    '<p style="color: {{ contact.city }}">x</p><a href="{{ contact.city }}">y</a>',
    subject="For {{ contact.first_name }} of {{ contact.city }}",
    preheader="{{ contact.city }}",
)
