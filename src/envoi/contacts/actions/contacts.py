"""Bring a contact in, change it, take it out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.contacts.events import ContactsChanged
from envoi.contacts.models import Contact, FieldDefinition, Kind
from envoi.contacts.values import LONGEST, ValueProblem, cleaned, cleaned_further
from envoi.core import addresses, clock
from envoi.core.events import announce

CHUNK = 1000


class ContactExists(ValueError):
    """Another contact of this kind has the address."""


class WrongValue(ValueError):
    """A value cannot stand in its field.

    Attributes:
        field: name of the field, or "field:<key>" of a further one.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def create(values: Mapping[str, str], *, kind: str = Kind.CONTACT, actor: User | None) -> Contact:
    """A new contact.

    Args:
        values: "address" and whatever else is known: names of fields, and "field:<key>" for further fields.

    Raises:
        WrongValue: the address is none, or a value does not fit its field.
        ContactExists: this kind already holds the address.
    """
    contact = _filled(Contact(kind=kind), values)
    if not contact.address:
        raise WrongValue("address", _("The e-mail address is empty."))
    return _saved(contact, "contact_create", actor)


def update(contact: Contact, values: Mapping[str, str], *, actor: User | None) -> Contact:
    """Change what `values` names (also "kind"); the rest stays. Raises as `create` does."""
    return _saved(_filled(contact, values), "contact_update", actor)


def delete(contact: Contact, *, actor: User | None) -> None:
    """Forget the contact with its subscriptions and memberships. What was sent to it stays in the ledger."""
    with transaction.atomic():
        audit.record(actor, "contact_delete", contact)
        contact.delete()
        announce(ContactsChanged())


def delete_many(contacts: QuerySet[Contact], *, actor: User | None) -> int:
    """Forget all of `contacts`, a thousand at a time in one transaction; returns how many."""
    done = 0
    with transaction.atomic():
        while ids := list(contacts.order_by("id").values_list("id", flat=True)[:CHUNK]):
            Contact.objects.filter(pk__in=ids).delete()
            done += len(ids)
        audit.record(actor, "contact_delete_many", count=done)
        announce(ContactsChanged())
    return done


def create_many(contacts: Iterable[Contact]) -> int:
    """Write complete, valid contacts in batches (seeding); those whose address their kind holds are passed over."""
    batch = list(contacts)
    for contact in batch:
        contact.address_key = addresses.key_of(contact.address)
        contact.search_text = contact.searchable()
    Contact.objects.bulk_create(batch, batch_size=CHUNK, ignore_conflicts=True)
    return len(batch)


def _saved(contact: Contact, verb: str, actor: User | None) -> Contact:
    contact.updated_at = clock.now()
    taken = Contact.objects.filter(kind=contact.kind, address_key=contact.address_key).exclude(pk=contact.pk)
    message = _("There is already a contact of this kind with the address %(address)s.") % {"address": contact.address}
    if taken.exists():
        raise ContactExists(message)
    try:
        with transaction.atomic():
            contact.save()
            audit.record(actor, verb, contact)
            announce(ContactsChanged())
    except IntegrityError as error:
        raise ContactExists(message) from error
    return contact


def _filled(contact: Contact, values: Mapping[str, str]) -> Contact:
    definitions = {definition.key: definition for definition in FieldDefinition.objects.all()}
    for name, value in values.items():
        try:
            _fill(contact, name, value, definitions)
        except (ValueProblem, addresses.AddressError) as error:
            raise WrongValue(name, str(error)) from error
    return contact


def _fill(contact: Contact, name: str, value: str, definitions: Mapping[str, FieldDefinition]) -> None:
    if name == "address":
        found = addresses.parse(value)
        contact.address, contact.address_key = found.text, found.key
    elif name == "kind":
        contact.kind = Kind(value)
    elif name in LONGEST:
        setattr(contact, name, cleaned(value, LONGEST[name]))
    elif name.removeprefix("field:") in definitions:
        key = name.removeprefix("field:")
        contact.fields = with_field(contact.fields, key, cleaned_further(value, definitions[key]))
    else:
        raise ValueProblem(_("There is no field of this name."))


def with_field(fields: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Further fields with one of them set; an empty value takes it out."""
    rest = {name: kept for name, kept in fields.items() if name != key}
    return rest if value == "" else {**rest, key: value}
