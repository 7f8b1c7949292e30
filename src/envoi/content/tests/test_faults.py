"""What is wrong is said with its line, and what would never end is stopped."""

from __future__ import annotations

import re
from typing import Any

import pytest

from envoi.content import liquid
from envoi.content.compile import ContentError, Source, compile_email, problems_for_everybody
from envoi.content.tests.factories import SPECIALS, compiled, person


def problems(**given: Any) -> list[tuple[str, int, str]]:
    with pytest.raises(ContentError) as caught:
        compile_email(Source(**({"subject": "Hello", "body": "<p>x</p>"} | given)))
    return [(problem.field, problem.line, problem.message) for problem in caught.value.problems]


def test_every_fault_is_named_with_its_line_and_a_remedy() -> None:
    found = problems(
        subject="{{ contact.frist_name }}",
        body="<p>\n{{ contact.city | upcsae }}\n</p>",
        layout_html="<p>\n\n{% fi x %}{{ content }}",
        fields=frozenset({"colour"}),
    )

    assert [(field, line) for field, line, _message in found] == [("subject", 1), ("body", 2), ("layout_html", 3)]
    assert found[0][2] == "There is no merge tag “contact.frist_name”. Did you mean “contact.first_name”?"
    assert found[1][2] == "There is no filter “upcsae”. Did you mean “upcase”?"
    assert "fi" in found[2][2]


def test_a_further_field_that_does_not_exist_is_named() -> None:
    ((field, line, message),) = problems(body="a\n{{ contact.fields.color }}", fields=frozenset({"colour"}))

    assert (field, line) == ("body", 2)
    assert "Did you mean “contact.fields.colour”?" in message


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"subject": " "}, "subject"),
        ({"body": ""}, "body"),
        ({"layout_html": "<p>no place</p>"}, "layout_html"),
        ({"body": "<h{{ contact.city }}>"}, "body"),
        ({"body": "<p {% if true %}class='a'{% endif %}>x</p>"}, "body"),
        ({"body": "{% include 'x' %}"}, "body"),
        ({"body": "{{ contact.city | safe }}"}, "body"),
        ({"body": "{{ contact.city | at_html }}"}, "body"),
        ({"body": "{% if contact.city %}"}, "body"),
        ({"body": "{{ contact.city"}, "body"),
        ({"body": "x" * 1_000_001}, "body"),
        ({"body": "x <!-- never closed"}, "body"),
        ({"body": "x <style> never closed"}, "body"),
        ({"body": "x <a href='never closed"}, "body"),
        ({"body": "<div>" * 300}, "body"),
        ({"body": "{{" * 50_000}, "body"),
        ({"body": "{% raw %}" * 10_000}, "body"),
        ({"body": "{{ contact.city }}" * 10_000}, "body"),
    ],
)
def test_what_cannot_work_is_refused(given: dict[str, str], field: str) -> None:
    assert {found[0] for found in problems(**given)} == {field}


@pytest.mark.parametrize(
    "bomb",
    [
        "{% for i in (1..100000000) %}x{% endfor %}",
        "{% for i in (1..5000) %}{% for j in (1..5000) %}{% endfor %}{% endfor %}",
        "{{ (1..100000000) | join: 'x' }}",
        "{{ (1..100000000) | reverse | first }}",
        "{% assign a = 'xxxxxxxxxx' %}" + "{% assign a = a | append: a %}" * 40 + "{{ a }}",
        "{% assign a = 'xxxxxxxxxxxxxxxxxxxx' %}" + "{% assign a = a | replace: 'x', a %}" * 8 + "{{ a }}",
        "{% assign a = 99 %}" + "{% assign a = a | times: a %}" * 60 + "{{ a }}",
        "{{ 'now' | date: '%9999999999d' }}",
        "{% for i in (1..9999) %}" + "x" * 1000 + "{% endfor %}",
    ],
)
def test_a_template_that_grows_without_bound_is_stopped_with_a_clear_error(bomb: str) -> None:
    with pytest.raises(ContentError) as caught:
        compiled(f"<p>{bomb}</p>").render(person(), SPECIALS)

    assert re.search("too much work|too long|longer than|too large|format", caught.value.problems[0].message)


@pytest.mark.parametrize(
    "probe",
    [
        "{{ contact.__class__ }}",
        "{{ contact.first_name.__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{{ contact.items }}",
    ],
)
def test_there_is_nothing_to_reach_behind_the_data(probe: str) -> None:
    try:
        text = compiled(f"<p>{probe}|</p>").render(person(), SPECIALS).text
    except ContentError:
        return
    assert text.strip() == "|"


def test_a_filter_that_cannot_work_on_one_persons_data_says_so() -> None:
    skeleton = compiled("<p>{{ 10 | divided_by: contact.fields.n }}</p>")

    assert "5" in skeleton.render(person(fields={"n": 2}), SPECIALS).text
    with pytest.raises(ContentError):
        skeleton.render(person(fields={"n": 0}), SPECIALS)


def test_the_merge_tags_in_use_are_known() -> None:
    assert compiled(
        "{{ contact.city }}{% if contact.fields.vip %}x{% endif %}", subject="{{ contact.city }}"
    ).variables == (
        "contact.city",
        "contact.fields.vip",
    )


def test_the_filters_of_places_are_not_offered() -> None:
    assert not [name for name in liquid.FILTERS if name.startswith("at_") and name not in ("at_least", "at_most")]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{% if contact.city %}x", "“{% if %}” is never ended. Write “{% endif %}” after it."),
        ("{% for i in (1..2) %}x", "“{% for %}” is never ended. Write “{% endfor %}” after it."),
        ("x{% endif %}", "“{% endif %}” cannot stand here."),
        ("{% include 'x' %}", "“{% include %}” cannot stand here."),
    ],
)
def test_usual_oversights_are_said_in_plain_words(body: str, message: str) -> None:
    assert [told for _field, _line, told in problems(body=body)] == [message]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{% for i in (1..100000000) %}x{% endfor %}", "does too much work"),
        ("{{ 10 | divided_by: 0 }}", "divide by 0"),
    ],
)
def test_what_could_be_sent_to_nobody_is_known_before_sending(body: str, message: str) -> None:
    (problem,) = problems_for_everybody(compile_email(Source(subject="Hello", body=body)))

    assert (problem.field, problem.line) == ("body", 1)
    assert message in problem.message


@pytest.mark.parametrize("body", ["{{ 10 | divided_by: contact.fields.size }}", "{{ contact.city | upcase }}"])
def test_what_only_fails_for_some_stands_in_nobodys_way(body: str) -> None:
    assert problems_for_everybody(compile_email(Source(subject="Hello", body=body))) == []
