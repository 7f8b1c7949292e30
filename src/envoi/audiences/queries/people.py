"""Lists and products, and who is on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, QuerySet

from envoi.audiences.models import List, ListImport, Membership, Product, Subscription
from envoi.contacts import queries as contacts
from envoi.contacts.models import Contact, Import, Suppression


def active_lists() -> QuerySet[List]:
    return List.objects.filter(archived_at=None).order_by("name", "id")


def active_products() -> QuerySet[Product]:
    return Product.objects.filter(archived_at=None).order_by("name", "id")


def current() -> QuerySet[Membership]:
    """Memberships that count as being on the product."""
    return Membership.objects.filter(status__in=Membership.CURRENT)


def customers() -> QuerySet[Contact]:
    """Contacts that hold a current membership."""
    return Contact.objects.filter(pk__in=current().values("contact"))


def list_counts(ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Per list, how many subscriptions stand in each status, and "all"; one statement over an index."""
    rows = Subscription.objects.filter(list__in=ids).values_list("list", "status").annotate(count=Count("id"))
    counts = {key: {"all": 0, **dict.fromkeys(Subscription.Status.values, 0)} for key in ids}
    for key, status, count in rows:
        counts[key][status] += count
        counts[key]["all"] += count
    return counts


def product_counts(ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Per product, how many memberships stand in each status, "current" (who is mailed), "ended" and "all"; one
    statement."""
    rows = Membership.objects.filter(product__in=ids).values_list("product", "status").annotate(count=Count("id"))
    counts = {key: {"all": 0, "current": 0, "ended": 0, **dict.fromkeys(Membership.Status.values, 0)} for key in ids}
    for key, status, count in rows:
        counts[key][status] += count
        counts[key]["all"] += count
        counts[key]["current"] += count if status in Membership.CURRENT else 0
        counts[key]["ended"] += count if status in Membership.ENDED else 0
    return counts


def on_list(found: QuerySet[Contact], list_id: int, status: str = "") -> QuerySet[Contact]:
    """Those of `found` that stand on the list (in this status)."""
    subscriptions = Subscription.objects.filter(list=list_id)
    if status:
        subscriptions = subscriptions.filter(status=status)
    return found.filter(pk__in=subscriptions.values("contact"))


def on_product(found: QuerySet[Contact], product_id: int, status: str = "") -> QuerySet[Contact]:
    """Those of `found` that have a membership of the product (in this status; "current" for all who are mailed)."""
    memberships = current() if status == "current" else Membership.objects.all()
    if status and status != "current":
        memberships = memberships.filter(status=status)
    return found.filter(pk__in=memberships.filter(product=product_id).values("contact"))


def subscriptions_of(contact: Contact) -> QuerySet[Subscription]:
    return Subscription.objects.filter(contact=contact).select_related("list").order_by("list__name")


def memberships_of(contact: Contact) -> QuerySet[Membership]:
    return Membership.objects.filter(contact=contact).select_related("product").order_by("product__name")


def suppressed_on(rows: Iterable[Contact]) -> set[str]:
    """Keys of the addresses among `rows` that are suppressed; one statement."""
    keys = [row.address_key for row in rows]
    return set(Suppression.objects.filter(address_key__in=keys).values_list("address_key", flat=True))


def insert_from(
    table: str, columns: Sequence[str], values: Sequence[Any], found: QuerySet[Contact], *, with_found: str
) -> int:
    """One INSERT … SELECT of `found` into `table`; rows that stand already stay as they are. Returns how many came.

    SQLite and PostgreSQL share the words; SQLite asks for a WHERE before ON CONFLICT (its documentation, "UPSERT",
    parsing ambiguity).
    """
    prepared = [
        connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value for value in values
    ]
    try:
        selected, parameters = found.order_by().values("id").query.sql_with_params()
    except EmptyResultSet:  # Django knows without asking that nobody is meant
        return 0
    names = ", ".join(connection.ops.quote_name(name) for name in (*columns, with_found))
    marks = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {connection.ops.quote_name(table)} ({names}) "  # noqa: S608  names are of our models
            f"SELECT {marks}, found.id FROM ({selected}) AS found WHERE true ON CONFLICT DO NOTHING",
            [*prepared, *parameters],
        )
        return int(cursor.rowcount)


def list_filled_by(of: Import) -> List | None:
    """The list that an import fills."""
    return List.objects.filter(pk__in=ListImport.objects.filter(of=of).values("list")).first()


def search_lists(text: str = "", *, archived: bool = False) -> QuerySet[List]:
    """Lists in use, or those put away, by name."""
    return List.objects.filter(archived_at__isnull=not archived, name__icontains=text.strip())


def search_products(text: str = "", *, archived: bool = False) -> QuerySet[Product]:
    """Products in use, or those put away, by name."""
    return Product.objects.filter(archived_at__isnull=not archived, name__icontains=text.strip())


def members(of: List, text: str = "", status: str = "") -> QuerySet[Subscription]:
    """Subscriptions of the list whose contact is found by `text`."""
    found = of.subscriptions.select_related("contact")
    if text.strip():
        found = found.filter(contact__in=contacts.search(text).values("id"))
    return found.filter(status=status) if status else found


def memberships(of: Product, text: str = "", status: str = "") -> QuerySet[Membership]:
    """Memberships of the product whose contact is found by `text`."""
    found = of.memberships.select_related("contact")
    if text.strip():
        found = found.filter(contact__in=contacts.search(text).values("id"))
    return found.filter(status=status) if status else found
