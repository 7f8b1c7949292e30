"""Rendering once for all whom the conditions treat alike gives each of them the bytes of their own rendering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envoi.content import liquid
from envoi.content.compile.constructs import Constructs, Run, split
from envoi.content.compile.parts import Part
from envoi.content.compile.reads import Reads
from envoi.content.escaping import Place
from envoi.content.problems import ContentError
from envoi.content.tests import factories

TEMPLATES = [
    "{% if contact.city %}there{% else %}not there{% endif %}",
    "{% if contact.city == 'London' or contact.city == \"Malmö\" %}one of two{% endif %} {{ contact.city }}",
    "{% if contact.city != '' and contact.city %}full{% endif %}",
    "{% if contact.city == contact.first_name %}the same{% endif %}",
    "{% if contact.city == blank %}blank{% elsif contact.city == empty %}empty{% endif %}",
    "{% if contact.city == 1 %}one{% elsif contact.city == true %}yes{% elsif contact.city == nil %}nil{% endif %}",
    "{% unless contact.city contains 'o' %}no o{% endunless %}",
    "{% if contact.city > 'M' %}late{% endif %}",
    "{% if contact.city.size > 2 %}long{% endif %}{% if contact.city %}x{% endif %}",
    "{% case contact.city %}{% when 'London', 'Paris' %}capital{% when '' %}empty{% else %}other{% endcase %}",
    "{% case contact.city %}{% when contact.first_name %}the same{% else %}other{% endcase %}",
    "{% case contact.city %}{% when 'London' or 'x' %}a{% endcase %}{% if contact.city == 'Paris' %}b{% endif %}",
    "{% for one in contact.fields.list %}{{ one }}{{ contact.city }},{% else %}nothing{% endfor %}",
    "{% assign city = contact.city | upcase %}{% if city == 'LONDON' %}{{ city }}{% endif %}",
    "{% if contact.city %}{% assign contact = organisation %}{% endif %}{% if contact.name == 'x' %}y{% endif %}",
    "{% capture said %}{{ contact.city }}{% endcapture %}{% if said == 'London' %}<b>{{ said }}</b>{% endif %}",
    "{% if 'London' == contact.city %}turned round{% endif %}{% if contact['city'] == 'Paris' %}brackets{% endif %}",
    "{% raw %}{% if contact.city %}{% endraw %}{% assign a = contact.city %}{% if a == 'x' %}y{% endif %}",
    "{% if contact.city == 'a and b' or contact.city == \"it's\" %}tricky{% endif %}don't",
    "{% if webview_url %}{% if unsubscribe_url == '' %}none{% endif %}{{ webview_url }}{% endif %}",
    "{{ contact.city | upcase }} {{ contact.city | default: 'x' | truncate: 3 }} {{ contact.city | size }}",
    "{{ contact.city | append: contact.first_name }} {{ contact.fields.list | join: ',' }} {{ webview_url | upcase }}",
    "{{ contact.fields.list | first }} {{ contact.fields.list.size }} {{ organisation.name | append: contact.city }}",
    "{% if contact.fields['a b'] == 'x' %}spaced{% endif %}{% if contact.fields.list[0] == 'x' %}first{% endif %}",
]
VALUES = st.one_of(
    st.sampled_from(["London", "Paris", "Malmö", "", " ", "x", "a and b", "it's", "1", "true", "LONDON", "nil"]),
    st.sampled_from([None, True, False, 0, 1, 1.0, 2.5]),
    st.text(max_size=5),
)
PEOPLE = st.fixed_dictionaries(
    {
        "first_name": VALUES,
        "city": VALUES,
        "fields": st.fixed_dictionaries({"list": st.lists(VALUES, max_size=3), "a b": VALUES}),
    }
)


def part(template: str) -> Part:
    constructs = Constructs()
    runs: list[Run] = list(split(constructs.taken_out(template, "body"), lambda _at: Place.HTML))
    return Part(runs, constructs, html=True)


def outcome(write: Callable[..., str | bytes], person: dict[str, Any]) -> str | bytes:
    try:
        return write(person, factories.SPECIALS)
    except ContentError as error:
        return str(error)


SHARED = {template: part(template) for template in TEMPLATES}


@given(st.sampled_from(TEMPLATES), PEOPLE)
def test_what_was_rendered_for_others_is_right_for_this_one_too(template: str, contact: dict[str, Any]) -> None:
    person = factories.person(**contact)
    alone = part(template)

    assert outcome(SHARED[template].encoded, person) == outcome(alone.encoded, person)
    assert outcome(SHARED[template].text, person) == outcome(alone.text, person)


def keys(template: str, *cities: object) -> int | None:
    """How many renderings people of these cities need; None when each needs one."""
    parsed = liquid.parse(template, field="body", html=True, ours=True)
    reads = Reads(parsed, template)
    if reads.routes is None:
        return None
    assert reads.routes == [("contact", "city")]
    return len({reads.key([city]) for city in cities})


@pytest.mark.parametrize(
    ("template", "count"),
    [
        ("{% if contact.city %}x{% endif %}", 1),
        ("{% if contact.city == 'London' %}x{% endif %}", 2),
        ("{% unless contact.city != 'London' or contact.city == \"Paris\" %}x{% endunless %}", 3),
        ("{% case contact.city %}{% when 'London', 'Paris' %}x{% endcase %}", 3),
        ("{% if contact.city contains 'L' %}x{% endif %}", 4),
        ("{{ contact.city | upcase }}", 4),
        ("{% assign who = contact %}{{ who.city }}", None),
    ],
)
def test_people_whom_the_conditions_treat_alike_are_rendered_once(template: str, count: int | None) -> None:
    assert keys(template, "London", "Paris", "Malmö", "Åbo") == count


def test_one_and_true_are_not_taken_for_each_other() -> None:
    assert keys("{% if contact.city == 1 %}x{% endif %}", 1, True, 1.0, "1") == 4


def test_only_so_many_renderings_are_kept() -> None:
    counting = part("{% if contact.city contains 'x' %}x{% endif %}{{ contact.city }}")
    for number in range(1_000):
        text = counting.text(factories.person(city=f"x{number}"), {})
        assert text == f"xx{number}"
    assert counting.flow is not None
    assert len(counting.flow._shapes) <= 200
