"""From what an author writes to what a reader gets."""

from __future__ import annotations

import re
from typing import Any

import pytest

from envoi.content.liquid import fill_url
from envoi.content.tests.factories import HEADER_LINES, SPECIALS, compiled, parts, person


def html_of(
    body: str, specials: dict[str, str] | None = None, *, about: dict[str, Any] | None = None, **given: Any
) -> str:
    return compiled(body, **given).render(about or person(), SPECIALS | (specials or {})).html


def test_ada_reads_her_own_name_and_bob_his() -> None:
    skeleton = compiled("<p>Dear {{ contact.first_name }},</p>", subject="For {{ contact.first_name }}")

    ada, bob = (skeleton.render(person(first_name=name), SPECIALS) for name in ("Ada", "Bob"))

    assert (ada.subject, ada.text) == ("For Ada", "Dear Ada,\n")
    assert (bob.subject, bob.text) == ("For Bob", "Dear Bob,\n")
    assert "<p>Dear Ada,</p>" in ada.html


def test_what_is_previewed_is_what_is_sent() -> None:
    skeleton = compiled("<p>Dear {{ contact.first_name }} — {% if contact.city == 'London' %}cheers{% endif %}</p>")

    shown = skeleton.render(person(), SPECIALS)
    plain, html = parts(skeleton.message(person(), SPECIALS, HEADER_LINES))

    assert (plain, html) == (shown.text, shown.html)


def test_an_empty_value_takes_the_default() -> None:
    assert "Dear friend" in html_of('Dear {{ contact.first_name | default: "friend" }}', about=person(first_name=""))
    assert "Dear friend" in html_of('Dear {{ contact.fields.nick | default: "friend" }}')


@pytest.mark.parametrize(
    "probe", ["{{ 7 | times: 7 }}", "{% for i in (1..3) %}x{% endfor %}", "${7*7}", "{{contact.email}}", "<%= 7*7 %>"]
)
def test_what_a_contact_holds_is_never_read_as_a_template(probe: str) -> None:
    for body in ("<p>{{ contact.first_name }}</p>", "<p>{% if true %}{{ contact.first_name }}{% endif %}</p>"):
        rendered = compiled(body, subject="{{ contact.first_name }}").render(person(first_name=probe), SPECIALS)

        assert rendered.subject == probe
        assert rendered.text.strip() == probe
        assert "49" not in rendered.html
        assert "xxx" not in rendered.html


def test_a_value_is_escaped_for_the_place_it_stands_at() -> None:
    nasty = "\"><img src=x onerror=alert(1)>' & {{ 7*7 }}"
    html = html_of(
        '<p title="{{ contact.first_name }}" style="color:{{ contact.first_name }}">{{ contact.first_name }}</p>'
        '<a href="{{ contact.first_name }}">a</a><a href="https://x.org/?q={{ contact.first_name }}">b</a>',
        about=person(first_name=nasty),
    )

    assert html.count("<img") == 0
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert (
        "https://x.org/?q=%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E%27%20%26%20%7B%7B%207%2A7%20%7D%7D" in html
    )


@pytest.mark.parametrize("url", ["javascript:alert(1)", " JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x"])
def test_an_address_from_data_is_followed_only_if_it_is_a_web_address(url: str) -> None:
    assert '<a href="">go</a>' in html_of(
        '<a href="{{ contact.fields.site }}">go</a>', about=person(fields={"site": url})
    )


def test_the_authors_own_scripts_and_handlers_do_not_travel() -> None:
    html = html_of('<script>x</script><p onclick="x()">p</p><a href="javascript:x()">a</a><iframe src="x"></iframe>')

    assert not re.search(r"script|onclick|iframe", html)


def test_rich_text_keeps_formatting_and_nothing_else() -> None:
    html = html_of("<p>Hi <b>{{ contact.first_name }}</b><object>x</object></p>", body_type="rich_text")

    assert "<p>Hi <b>Ada</b>x</p>" in html


def test_rich_text_without_tags_becomes_paragraphs() -> None:
    assert "<p>One<br>two</p><p>Three</p>" in html_of("One\ntwo\n\nThree", body_type="rich_text")


def test_links_are_counted_in_order_and_others_left_alone() -> None:
    skeleton = compiled(
        '<a href="https://a.org/?u={{ contact.email }}&amp;x=1">Read <b>on</b></a><a href="mailto:a@b.org">m</a>'
        '<a href="#top">t</a><a href="{{ unsubscribe_url }}">u</a><a href="https://b.org" data-no-track>n</a>'
        '<a href="https://c.org"><img src="https://c.org/i.png" alt="Shop"></a>',
        track=True,
    )
    html = skeleton.render(person(), SPECIALS | {"click_0": "https://t.org/0?a&b", "click_1": "https://t.org/1"}).html

    assert [(link.position, link.url, link.label) for link in skeleton.links] == [
        (0, "https://a.org/?u={{ contact.email }}&x=1", "Read on"),
        (1, "https://c.org", "Shop"),
    ]
    assert '<a href="https://t.org/0?a&amp;b">Read <b>on</b></a>' in html
    assert '<a href="https://t.org/1">' in html
    assert '<a href="https://b.org">n</a>' in html
    assert f'<a href="{SPECIALS["unsubscribe_url"].replace("&", "&amp;")}">u</a>' in html


def test_the_plain_version_has_the_same_links_as_words_and_addresses() -> None:
    skeleton = compiled('<p>Read <a href="https://a.org">more</a></p>', track=True)

    assert skeleton.render(person(), {"click_0": "https://t.org/0"}).text == "Read [more](https://t.org/0)\n"


def test_conditions_and_loops_leave_no_empty_lines_in_the_plain_version() -> None:
    body = "<ul>{% for i in (1..2) %}<li>{{ i }}</li>{% endfor %}</ul>{% if contact.city %}<p>bye</p>{% endif %}"

    assert compiled(body).render(person(), SPECIALS).text == "  * 1\n  * 2\nbye\n\n"


def test_what_is_the_same_for_all_follows_when_it_changes() -> None:
    skeleton = compiled("<p>{{ organisation.name | upcase }}</p>")
    other = person() | {"organisation": {"name": "Räksmörgås"}}

    texts = [skeleton.render(about, SPECIALS).text for about in (person(), person(), other, person())]

    assert texts == ["ANALYTICAL ENGINES\n", "ANALYTICAL ENGINES\n", "RÄKSMÖRGÅS\n", "ANALYTICAL ENGINES\n"]


def test_an_authors_own_plain_version_is_kept_and_its_links_counted_on() -> None:
    skeleton = compiled('<a href="https://a.org">a</a>', text="See https://b.org/{{ contact.city }}.", track=True)

    assert [(link.position, link.url) for link in skeleton.links] == [
        (0, "https://a.org"),
        (1, "https://b.org/{{ contact.city }}"),
    ]
    assert skeleton.render(person(), {"click_1": "https://t.org/1"}).text == "See https://t.org/1."


def test_a_tracked_address_is_filled_when_it_is_followed() -> None:
    assert (
        fill_url("https://a.org/?u={{ contact.email }}", person(email="a+b&c@x.org"))
        == "https://a.org/?u=a%2Bb%26c%40x.org"
    )
    assert fill_url("{{ contact.fields.site }}", person(fields={"site": "javascript:x"})) == ""
    assert fill_url("https://a.org/%20?x=é", person()) == "https://a.org/%20?x=%C3%A9"


def test_the_opt_out_footer_is_added_when_it_is_missing() -> None:
    rendered = compiled("<p>x</p>", opt_out_required=True).render(person(), SPECIALS)

    assert rendered.html.count("https://mail.example.org/u/token") == 1
    assert "1 High Street" in rendered.html
    assert "https://mail.example.org/u/token?a=1&b=2" in rendered.text


def test_the_opt_out_footer_is_not_added_twice_nor_where_it_is_not_asked_for() -> None:
    own = compiled('<a href="{{ unsubscribe_url }}">bye</a> {{ organisation.address }}', opt_out_required=True)

    assert own.render(person(), SPECIALS).html.count("https://mail.example.org/u/token") == 1
    assert "mail.example.org" not in html_of("<p>x</p>")


def test_the_footer_speaks_the_language_of_the_message() -> None:
    html = html_of("<p>x</p>", language="ar", opt_out_required=True)

    assert '<html lang="ar" dir="rtl">' in html
    assert '<div lang="ar" dir="rtl">' in html


def test_the_document_has_what_readers_and_screen_readers_need() -> None:
    html = html_of(
        "<table><tr><td><img src='https://x.org/i.png'></td></tr></table><table><tr><th>h</th></tr></table>",
        subject="News <now>",
        preheader="In short & sweet",
        track_opens=True,
    )

    assert "<title>News &lt;now&gt;</title>" in html
    assert html.count('role="presentation"') == 1
    assert '<img src="https://x.org/i.png" alt="">' in html
    assert '<img src="https://mail.example.org/o/token" width="1" height="1" alt=""' in html
    assert "display:none" in html.split("In short &amp; sweet")[0]
    assert html.startswith("<!DOCTYPE html>")


def test_styles_are_inlined_and_media_queries_kept() -> None:
    html = html_of(
        "<p class='x'>x</p>",
        layout_html="<html><head><style>.x{color:red} @media (max-width:9px){.x{color:blue}}</style></head>"
        "<body>{{ content }}</body></html>",
    )

    assert 'style="color: red' in html
    assert "@media (max-width:9px)" in html


def test_rows_of_a_table_repeat_where_they_stand() -> None:
    html = html_of(
        "<table><tr><td>head</td></tr>{% for i in (1..2) %}"
        "<tr><td>{{ i }}: {{ contact.first_name }}</td></tr>{% endfor %}</table>"
    )

    assert "<tr><td>head</td></tr><tr><td>1: Ada</td></tr><tr><td>2: Ada</td></tr>" in html


def test_conditional_comments_for_outlook_stay_and_other_comments_go() -> None:
    html = html_of(
        "<!-- secret --><!--[if mso]><p>{{ contact.first_name }}</p><![endif]-->"
        "<!--[if !mso]><!--><b>x</b><!--<![endif]-->"
    )

    assert "<!--[if mso]><p>Ada</p><![endif]-->" in html
    assert "<!--[if !mso]><!--><b>x</b><!--<![endif]-->" in html
    assert "secret" not in html


def test_raw_and_escaped_braces_stay_words() -> None:
    for flow in ("", "{% if true %}{% endif %}"):
        html = html_of("{% raw %}{{ a }}{% endraw %} &#123;&#123; 7 &#125;&#125; {&#37; x" + flow)

        assert "{{ a }} {{ 7 }} {% x" in html


@pytest.mark.parametrize(
    ("theirs", "read"),
    [
        ("{{customer_name}}", "Ada Lovelace"),
        ("{contactfield=firstname|friend}", "Ada"),
        ("{contactfield=nickname|friend}", "friend"),
        ("%7Bcontactfield%3Dfirstname%7D", "Ada"),
        ("{Person.firstName}", "Ada"),
        ("{optOutUrl}", "https://mail.example.org/u/token?a=1&b=2"),
        ("{unsubscribe_url}", "https://mail.example.org/u/token?a=1&b=2"),
        ("{webview_url}", "https://mail.example.org/w/token"),
        ("{{ contact.first_name | default: &quot;x&quot; }}", "Ada"),
        ("body {color:red} {unknown}", "body {color:red} {unknown}"),
    ],
)
def test_placeholders_of_other_products_are_understood(theirs: str, read: str) -> None:
    about = person(name="Ada Lovelace")

    assert compiled(f"<p>{theirs}</p>").render(about, SPECIALS).text.strip() == read


def test_unsubscribe_text_is_a_link() -> None:
    assert ">Unsubscribe</a>" in html_of("{unsubscribe_text}")
