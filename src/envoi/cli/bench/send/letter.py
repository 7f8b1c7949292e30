"""The letter that `bench send` sends: HTML and plain text, ten merge tags, ten tracked links, of a wanted size.

Guarantee: the complete message is within 2 % of that size for readers such as `readers.py` invents, because it is
composed for some of them as broadcasts are, and its filling made longer or shorter until it fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from envoi.broadcasts import envelope
from envoi.broadcasts.models import Broadcast
from envoi.broadcasts.senders import Sender
from envoi.cli.bench.send.readers import DOMAIN, NAMES
from envoi.contacts.models import Contact
from envoi.content import merge_tags
from envoi.content.compile import Source, compile_email
from envoi.core import clock
from envoi.delivery import tokens
from envoi.tracking import links

_ROUNDS = 12
_FAR_DELIVERY, _FAR_LINK = 5_000_000, 50_000
_SUBJECT = "For {{ contact.first_name }}"
_GREETING = "Hi {{ contact.first_name }} {{ contact.last_name }}, {{ contact.city }} {{ contact.reference }},"
_PLAIN_GREETING = "Hi {{ contact.first_name }} {{ contact.country }} {{ contact.language }} {{ contact.kind }},"
_SENDER = "{{ organisation.address }}"
_FILLING = (
    "The harbour lay quiet in the early light, and the first boats came home with what the night had given them. "
    "Åsa counted the crates, Dmitri wrote the numbers down, and nobody was in a hurry.\n"
)
_FLOW = (
    '{% if contact.country == "SE" %}<p>Hej {{ contact.first_name }}!</p>'
    '{% elsif contact.language == "fr" %}<p>Bonjour {{ contact.first_name }} !</p>{% else %}<p>Hello!</p>{% endif %}'
    '{% assign seasons = "spring,summer,autumn" | split: "," %}<ul>{% for season in seasons %}'
    "<li>{{ forloop.index }}. {{ season | capitalize }} for {{ contact.first_name }}</li>{% endfor %}</ul>"
)


class Letter(TypedDict):
    """Fields of a broadcast."""

    subject: str
    body: str
    body_type: str
    text_body: str
    layout: None


def letter(size: int, *, flow: bool = False) -> Letter:
    """A letter of `size` bytes on the wire.

    Args:
        flow: with conditions and a loop besides.

    Raises:
        ValueError: what must be in it needs more room.
    """
    length, made = 0, _written(0, flow=flow)
    for _ in range(_ROUNDS):
        length = max(0, length + round((size - average_size(made)) * 0.9))
        made = _written(length, flow=flow)
    if abs(average_size(made) - size) > size * 0.02:
        raise ValueError(f"A letter with ten tracked links has at least {round(average_size(made))} bytes.")
    return made


def average_size(made: Letter) -> float:
    """Bytes of the complete messages of the first readers, on average."""
    source = Source(
        subject=made["subject"], body=made["body"], text=made["text_body"], opt_out_required=True, track_opens=True
    )
    addresses = {f"link_{position}": links.click_address(_FAR_LINK) for position in range(10)} | envelope.addresses()
    skeleton = compile_email(source, lambda position, _url, _label: f"link_{position}", addresses)
    sender = Sender(
        "Bench", f"news@{DOMAIN}", "", "everybody", "Everybody", {"name": "Bench", "address": "1 High Street, London"}
    )
    headers = envelope.Headers(sender, bulk=True, feedback="0" * 16)
    own = tokens.of(_FAR_DELIVERY)
    specials = {use: getattr(own, use).decode("ascii") for use in links.USES}
    total = 0
    for reader in _readers():
        lines = headers.of(
            to_name=reader.name,
            to=reader.address,
            message_id=f"{'0' * 16}.{'0' * 16}@{DOMAIN}",
            date=clock.now(),
            unsubscribe=links.unsubscribe_url(_FAR_DELIVERY),
        )
        person = merge_tags.person(reader, organisation=sender.organisation)
        total += len(skeleton.message(person, specials, lines))
    return total / len(NAMES)


def _readers() -> Sequence[Contact]:
    return [
        Contact(
            address=f"reader{10_000 + number}@{DOMAIN}",
            first_name=first,
            last_name=last,
            organisation=organisation,
            phone=f"+44 20 7946 {10_000 + number}",
            city=city,
            country=country,
            language=language,
            reference=f"C-{10_000 + number}",
        )
        for number, (first, last, organisation, city, country, language) in enumerate(NAMES)
    ]


def _written(length: int, *, flow: bool) -> Letter:
    """With about `length` bytes of filling, two thirds of them in HTML."""
    html, plain = length * 2 // 3, length // 3
    paragraphs = "".join(f"<p>{line}</p>" for line in _filling(html).splitlines())
    anchors = "".join(f'<a href="https://example.org/{number}">{number}</a>' for number in range(8))
    return {
        "subject": _SUBJECT,
        "body": (f"{_GREETING}{_FLOW if flow else ''}{paragraphs}{anchors}{_SENDER} {{{{ unsubscribe_url }}}}"),
        "body_type": Broadcast.BodyType.HTML,
        "text_body": (
            f"{_PLAIN_GREETING}\n{_filling(plain)}\nhttps://example.org/8\nhttps://example.org/9\n"
            f"{_SENDER} ({{{{ contact.email }}}})\n{{{{ unsubscribe_url }}}}\n"
        ),
        "layout": None,
    }


def _filling(length: int) -> str:
    return (_FILLING * (length // len(_FILLING) + 1))[:length]
