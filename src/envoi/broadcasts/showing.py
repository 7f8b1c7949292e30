"""A broadcast as one person sees it: as a draft stands, or as it was sent. Nothing in it counts opens or clicks."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from envoi.audiences.queries import included
from envoi.broadcasts import composing, envelope
from envoi.broadcasts.models import Broadcast, FrozenContent
from envoi.broadcasts.senders import Sender, sender_of
from envoi.contacts.models import Contact, Suppression
from envoi.content import merge_tags
from envoi.content.compile import Source
from envoi.core import clock
from envoi.delivery.models import Delivery, Purpose
from envoi.delivery.queries.ranges import rows_of


@dataclass(frozen=True, slots=True)
class Shown:
    """One message for the eyes.

    Attributes:
        raw: the message as it goes over the wire, as text.
    """

    sender: str
    recipient: str
    subject: str
    html: str
    text: str
    raw: str


def message(broadcast: Broadcast, contact: Contact | None) -> Shown:
    """The message as `contact` gets it; without one, as a reader of whom nothing is known.

    Raises:
        ContentError: a draft that cannot be compiled.
    """
    source, sender = content_of(broadcast)
    skeleton = composing.compiled(source)
    address = contact.address if contact else "reader@example.org"
    person = merge_tags.person(contact, address=address, organisation=sender.organisation)
    links = envelope.example_links()
    rendered = skeleton.render(person, links)
    bulk = broadcast.purpose != Purpose.TRANSACTIONAL
    lines = envelope.Headers(sender, bulk=bulk, feedback="preview").of(
        to_name=contact.name if contact else "",
        to=address,
        message_id="preview@example.org",
        date=clock.now(),
        unsubscribe=links["unsubscribe_url"],
    )
    raw = skeleton.message(person, links, lines).decode("utf-8", "replace")
    who = f"{sender.from_name} <{sender.from_address}>" if sender.from_name else sender.from_address
    return Shown(who, address, rendered.subject, rendered.html, rendered.text, raw)


def content_of(broadcast: Broadcast) -> tuple[Source, Sender]:
    """What it says and in whose name: frozen once it has started, before that as it stands."""
    frozen = FrozenContent.objects.filter(broadcast=broadcast).first()
    if frozen is None:
        return composing.source_of(broadcast), sender_of(broadcast)
    return composing.read_again(frozen.source), Sender(**frozen.sender)


def somebody(broadcast: Broadcast) -> Contact | None:
    """One who gets it, as a first example: of the ledger once it is frozen, before that of the audience."""
    if broadcast.mailing:
        rows = rows_of(broadcast.mailing).filter(contact__isnull=False)
        row = rows.exclude(state=Delivery.State.SKIPPED).select_related("contact").order_by("id").first()
        return row.contact if row else None
    suppressed = Suppression.objects.filter(address_key=OuterRef("address_key"))
    return included(broadcast.audience).exclude(Exists(suppressed)).order_by("id").first()


def resume_at(broadcast: Broadcast) -> str:
    """The step of the wizard at which work on a draft goes on."""
    if not broadcast.audience.members.exists():
        return "targets"
    return "review" if broadcast.subject and composing.has_words(broadcast.body) else "content"
