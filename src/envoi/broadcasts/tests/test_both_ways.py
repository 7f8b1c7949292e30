"""What is sent to thousands is, byte for byte, what the plain way of preview and test message writes for each."""

from __future__ import annotations

import re
from typing import Any

import pytest

from envoi.broadcasts import composing, envelope
from envoi.broadcasts.actions.send import send
from envoi.broadcasts.composer import BroadcastComposer
from envoi.broadcasts.models import FrozenContent
from envoi.broadcasts.senders import Sender
from envoi.broadcasts.tests.factories import make_draft
from envoi.contacts.models import Contact, FieldDefinition
from envoi.content import merge_tags
from envoi.core import clock
from envoi.delivery import return_path, tokens
from envoi.delivery.composers import Leased, Message
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.tests.factories import make_contact, make_list
from envoi.tracking import links
from envoi.tracking.models import TrackedLink

pytestmark = pytest.mark.django_db

PEOPLE: list[dict[str, Any]] = [
    {"first_name": "Ada", "last_name": "Lovelace", "city": "London", "fields": {"colour": "red"}},
    {"first_name": "Chloé", "last_name": "d'Arc-en-Ciel", "city": "", "fields": {"colour": ["a", 1, None]}},
    {
        "first_name": "美咲",
        "last_name": "佐藤",
        "organisation": "株式会社さくら",
        "fields": {"colour": {"x": "y"}, "n": 1},
    },
    {"organisation": "Räksmörgås & <b>Söner</b> AB", "fields": {"colour": True, "n": 1.5}},
    {"first_name": "{{ 7 | times: 7 }}", "last_name": '"; =?utf-8?q?x?=', "fields": {"n": "1"}},
    {"first_name": "J.", "last_name": "Weiß " * 20, "city": "a=b\tc", "reference": "C-1"},
    {"first_name": " ", "last_name": "\u202eolleH", "city": "x" * 100, "fields": {"colour": None, "n": False}},
    {},
]
BODIES = {
    "plain": '<p title="{{ contact.city }}">{{ contact.name }} ({{ contact.email }}), {{ contact.first_name }}</p>',
    "defaults": '{{ contact.first_name | default: "friend" }}, {{ contact.fields.colour | default: "<blue>" }}',
    "further": "{{ contact.fields.colour }} {{ contact.fields.n }} {{ contact.fields.nothing }} {{ contact.id }}",
    "links": '<a href="https://example.org/?c={{ contact.city }}">a</a><a href="https://example.org/b">b</a>',
    "own": '<a href="{{ webview_url }}">w</a> {{ unsubscribe_url }} <p style="color: {{ unsubscribe_url }}">x</p>',
    "liquid": "{{ contact.first_name | upcase }} {{ organisation.name | upcase }} {{ webview_url | append: '#x' }}",
    "all of them": "{{ contact.fields['n'] }}{% assign who = contact %}{{ who.city }} {{ who.id }}",
    "conditions": (
        '{% if contact.city == "London" %}Hello {{ contact.first_name }}{% elsif contact.fields.n %}n{% endif %}'
        "{% for one in contact.fields.colour %}{{ one }};{{ contact.city }}{% endfor %}{% assign contact = 'gone' %}"
    ),
    "another script": "<p>" + "Привет, дорогой читатель " * 20 + "{{ contact.first_name }} {{ unsubscribe_url }}</p>",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("subject", ["News", "För {{ contact.first_name }}", "{{ contact.name | upcase }}: news"])
def test_the_quick_way_writes_the_bytes_of_the_plain_way(body: str, subject: str) -> None:
    for key in ("colour", "n", "nothing"):
        FieldDefinition.objects.create(key=key, label=key)
    people = [make_contact(f"reader{number}@example.net", **given) for number, given in enumerate(PEOPLE)]
    mailing = send(make_draft(make_list("Readers", *people), subject=subject, body=body), actor=None)
    gone = Contact.objects.filter(address="reader3@example.net")
    gone.delete()

    batch = rows(mailing)
    quick = written_quickly(mailing, batch)

    assert len(quick) == len(PEOPLE)
    assert not [message for message in quick if re.search(rb"(?<!\r)\n|\r(?!\n)|\0", message.data)]
    assert quick == written_plainly(mailing, batch)


def rows(mailing: Mailing) -> list[Leased]:
    moment = clock.now()
    found = Delivery.objects.filter(mailing=mailing).order_by("id")
    return [Leased(row.pk, row.key, row.address, row.address_key, row.contact_id, 0, moment) for row in found]


def written_quickly(mailing: Mailing, batch: list[Leased]) -> list[Message]:
    compose = BroadcastComposer().open(mailing)
    return [
        made
        for row, loaded in zip(batch, compose.load(batch), strict=True)
        if isinstance(made := compose.write(row, loaded), Message)
    ]


def written_plainly(mailing: Mailing, batch: list[Leased]) -> list[Message]:
    frozen = FrozenContent.objects.get(broadcast__mailing=mailing)
    sender = Sender(**frozen.sender)
    clicks = {
        composing.link_special(link.position): links.click_address(link.pk)
        for link in TrackedLink.objects.filter(mailing=mailing)
    }
    skeleton = composing.compiled(
        composing.read_again(frozen.source), track_clicks=True, addresses=clicks | envelope.addresses()
    )
    headers = envelope.Headers(sender, bulk=True, feedback=mailing.key)
    contacts = Contact.objects.in_bulk()
    found = []
    for row in batch:
        contact = contacts.get(row.contact_id or 0)
        own = tokens.of(row.id)
        head = headers.of(
            to_name=contact.name if contact else "",
            to=row.address,
            message_id=mailing.message_id(row.key),
            date=row.first_attempt_at,
            unsubscribe=links.unsubscribe_url(row.id),
        )
        person = merge_tags.person(contact, address=row.address, organisation=sender.organisation)
        specials = {use: getattr(own, use).decode() for use in links.USES}
        found.append(Message(return_path.make(row.id, sender.domain), skeleton.message(person, specials, head), True))
    return found
