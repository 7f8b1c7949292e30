"""Finding contacts and suppressions. Nothing here counts a whole table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from envoi.contacts.models import Contact, FieldDefinition, Suppression
from envoi.core import arrays
from envoi.core.text import folded

# Keyset orders (unique, never null) under the names that stand in addresses of pages.
ORDERS: dict[str, tuple[str, ...]] = {
    "name": ("last_name", "first_name", "id"),
    "-name": ("-last_name", "-first_name", "-id"),
    "address": ("address_key", "id"),
    "-address": ("-address_key", "-id"),
    "organisation": ("organisation", "id"),
    "-organisation": ("-organisation", "-id"),
    "added": ("created_at", "id"),
    "-added": ("-created_at", "-id"),
}


def search(text: str = "", *, kind: str = "", language: str = "", suppressed: bool | None = None) -> QuerySet[Contact]:
    """Contacts in whose address, names, organisation, city or reference every word of `text` stands.

    Args:
        kind: a `Kind`; "" for all.
        language: as it is stored; "" for all.
        suppressed: only those whose address is (not) suppressed.
    """
    found = Contact.objects.all()
    for word in folded(text).split()[:10]:
        found = found.filter(search_text__contains=word)
    if kind:
        found = found.filter(kind=kind)
    if language:
        found = found.filter(language=language)
    if suppressed is not None:
        is_suppressed = Exists(Suppression.objects.filter(address_key=OuterRef("address_key")))
        found = found.filter(is_suppressed if suppressed else ~is_suppressed)
    return found


def languages() -> list[str]:
    """The languages that contacts have, each found by one step in the index, not by reading every contact."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE step(language) AS (
                SELECT min(language) FROM contacts_contact WHERE language > ''
                UNION ALL
                SELECT (SELECT min(c.language) FROM contacts_contact c WHERE c.language > step.language)
                FROM step WHERE step.language IS NOT NULL
            )
            SELECT language FROM step WHERE language IS NOT NULL
            """
        )
        return [row[0] for row in cursor.fetchall()]


def search_suppressions(text: str = "", reason: str = "") -> QuerySet[Suppression]:
    """Suppressions whose address holds `text`."""
    found = Suppression.objects.all()
    if text.strip():
        found = found.filter(address_key__contains=text.strip().lower())
    return found.filter(reason=reason) if reason else found


def suppressed_among(keys: Iterable[str]) -> dict[str, str]:
    """Those of `keys` that are suppressed, with their reason; one statement."""
    return dict(Suppression.objects.filter(address_key__in=list(keys)).values_list("address_key", "reason"))


def suppression_of(contact: Contact) -> Suppression | None:
    return Suppression.objects.filter(address_key=contact.address_key).first()


def same_address(contact: Contact) -> QuerySet[Contact]:
    """The other contacts that have this contact's address."""
    return Contact.objects.filter(address_key=contact.address_key).exclude(pk=contact.pk)


def further_fields() -> list[FieldDefinition]:
    return list(FieldDefinition.objects.all())


def columns(names: Sequence[str], ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """Id and the columns `names` of each contact with one of `ids`, as the database gives them (JSON as text).

    Without models and in one parameter: a tenth of what `in_bulk` costs, and it is asked for every message.
    """
    wanted = ", ".join(f'"{Contact._meta.get_field(name).name}"' for name in ("id", *names))
    among = "= ANY(%s::bigint[])" if connection.vendor == "postgresql" else "IN (SELECT value FROM json_each(%s))"
    given = arrays.of_numbers(ids) if connection.vendor == "postgresql" else json.dumps(ids)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {wanted} FROM contacts_contact WHERE id {among}", [given])  # noqa: S608  our columns
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def by_ids(ids: Iterable[int]) -> QuerySet[Contact]:
    return Contact.objects.filter(Q(pk__in=list(ids)))
