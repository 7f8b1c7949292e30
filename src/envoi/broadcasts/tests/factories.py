"""Broadcasts for tests, with people to get them."""

from __future__ import annotations

from envoi.accounts.models import Role, User
from envoi.audiences.models import List, Product
from envoi.audiences.queries import Targets
from envoi.broadcasts.actions import draft
from envoi.broadcasts.models import Broadcast
from envoi.contacts.models import Contact
from envoi.content.models import Layout
from envoi.delivery.models import Transport
from envoi.delivery.tests.factories import make_contact, make_identity, make_list

BODY = '<p>Dear {{ contact.first_name | default: "friend" }},</p><p><a href="https://example.org/news">Read on</a></p>'


def make_user(role: str = Role.EDITOR, email: str = "") -> User:
    return User.objects.create_user(email or f"{role}@example.org", "correct horse battery", role=role)


def make_layout(name: str = "Plain", html: str = "<html><head></head><body>{{ content }}</body></html>") -> Layout:
    return Layout.objects.create(name=name, html=html)


def people(count: int, domain: str = "example.net") -> list[Contact]:
    return [make_contact(f"reader{number}@{domain}", first_name=f"Reader {number}") for number in range(count)]


def make_draft(
    *include: List | Product | Contact,
    exclude: tuple[List | Product | Contact, ...] = (),
    transport: Transport | None = None,
    **content: object,
) -> Broadcast:
    """A draft that can be sent: to Ada, unless told otherwise."""
    fields = {
        "subject": "News for {{ contact.first_name }}",
        "preheader": "What happened",
        "body": BODY,
        "body_type": Broadcast.BodyType.HTML,
        **content,
    }
    if "identity" not in fields:
        fields["identity"] = make_identity(transport)
    if "layout" not in fields:
        fields["layout"] = Layout.objects.filter(name="Plain").first() or make_layout()
    made = draft.create("email", actor=None, **fields)  # type: ignore[arg-type]
    chosen = include or (make_list("Readers", make_contact("ada@example.net", first_name="Ada")),)
    return draft.change_targets(made, targets(*chosen), targets(*exclude), actor=None)


def targets(*things: List | Product | Contact) -> Targets:
    return Targets(
        tuple(thing.pk for thing in things if isinstance(thing, List)),
        tuple(thing.pk for thing in things if isinstance(thing, Product)),
        tuple(thing.pk for thing in things if isinstance(thing, Contact)),
    )
