"""Further fields of contacts."""

from __future__ import annotations

from django.db import transaction
from django.utils.text import slugify

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.contacts.models import FieldDefinition
from envoi.contacts.values import TEXT_FIELDS

# Words that merge tags of a contact already use.
TAKEN = {*TEXT_FIELDS, "address", "name", "kind", "id", "fields", "email"}


def add(label: str, type_: str = FieldDefinition.Type.TEXT, *, actor: User | None) -> FieldDefinition:
    """A further field named `label`; its key is made from the label, free and fit for a merge tag."""
    label = " ".join(label.split())[:100] or "Field"
    stem = slugify(label).replace("-", "_")[:50] or "field"
    with transaction.atomic():
        keys = TAKEN | set(FieldDefinition.objects.filter(key__startswith=stem).values_list("key", flat=True))
        key = stem if stem not in keys else next(f"{stem}_{n}" for n in range(2, 10_000) if f"{stem}_{n}" not in keys)
        made = FieldDefinition.objects.create(key=key, label=label, type=type_)
        audit.record(actor, "field_add", made)
    return made
