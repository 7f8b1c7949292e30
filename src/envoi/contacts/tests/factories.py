"""People for tests."""

from __future__ import annotations

from envoi.contacts.actions import imports
from envoi.contacts.models import Contact, Import, Kind
from envoi.core import addresses


def contact(address: str = "ada@example.org", *, kind: str = Kind.CONTACT, **fields: object) -> Contact:
    found = addresses.parse(address)
    return Contact.objects.create(kind=kind, address=found.text, address_key=found.key, **fields)


def received(text: str | bytes, name: str = "people.csv") -> Import:
    """A file that was just chosen."""
    return imports.receive([text.encode() if isinstance(text, str) else text], name, actor=None)


def started(text: str | bytes, mapping: dict[str, str] | None = None, *, update_existing: bool = True) -> Import:
    """A file whose import waits for a worker."""
    of = received(text)
    return imports.start(of, mapping or of.mapping, update_existing=update_existing, actor=None)
