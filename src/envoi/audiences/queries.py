"""Who is on a list, who holds a product, whom an audience names. Everything set-based."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from envoi.audiences.models import Audience, AudienceMember, List, Membership, Product, Subscription
from envoi.contacts import queries as contacts
from envoi.contacts.models import Contact, Suppression

LISTS, PRODUCTS, CONTACTS = "list", "product", "contact"
KINDS = (LISTS, PRODUCTS, CONTACTS)


@dataclass(frozen=True, slots=True)
class Target:
    """Something an audience can include or exclude, as a person picks it.

    Attributes:
        id: "list-3", "product-1" or "contact-42".
        detail: what tells it from others of its name: an address, a number of members.
    """

    id: str
    kind: str
    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Targets:
    """Primary keys of things to include or exclude."""

    lists: tuple[int, ...] = ()
    products: tuple[int, ...] = ()
    contacts: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lists or self.products or self.contacts)

    @property
    def ids(self) -> list[str]:
        """As `Target.id`."""
        pairs = ((LISTS, self.lists), (PRODUCTS, self.products), (CONTACTS, self.contacts))
        return [f"{kind}-{key}" for kind, keys in pairs for key in keys]


@dataclass(slots=True)
class _Found:
    by_kind: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


def active_lists() -> QuerySet[List]:
    return List.objects.filter(archived_at=None).order_by("name", "id")


def active_products() -> QuerySet[Product]:
    return Product.objects.filter(archived_at=None).order_by("name", "id")


def read_targets(values: Iterable[str]) -> Targets:
    """The targets that `values` (as `Target.id`) name; unreadable ones and repetitions are passed over."""
    found = _Found()
    for value in values:
        kind, _dash, key = value.partition("-")
        if kind in KINDS and key.isascii() and key.isdigit() and int(key) < 2**63:
            found.by_kind[kind].append(int(key))
    unique = {kind: tuple(dict.fromkeys(keys)) for kind, keys in found.by_kind.items()}
    return Targets(unique.get(LISTS, ()), unique.get(PRODUCTS, ()), unique.get(CONTACTS, ()))


def targets_of(audience: Audience, side: str = AudienceMember.Side.INCLUDE) -> Targets:
    """What the audience includes (or excludes), in the order of entry; one statement."""
    rows = list(audience.members.filter(side=side).order_by("id").values_list("list_id", "product_id", "contact_id"))
    return Targets(
        tuple(row[0] for row in rows if row[0]),
        tuple(row[1] for row in rows if row[1]),
        tuple(row[2] for row in rows if row[2]),
    )


def included(audience: Audience) -> QuerySet[Contact]:
    """Everybody the audience names, whatever their subscription's status (delivery says who is not mailed, and why)."""
    return _named(targets_of(audience))


def excluded(audience: Audience) -> QuerySet[Contact]:
    """Everybody with an address that the audience excludes, also under another kind."""
    named = _named(targets_of(audience, AudienceMember.Side.EXCLUDE))
    return Contact.objects.filter(address_key__in=named.values("address_key"))


def _named(targets: Targets) -> QuerySet[Contact]:
    wanted = Q(pk__in=targets.contacts)
    if targets.lists:
        wanted |= Q(pk__in=Subscription.objects.filter(list__in=targets.lists).values("contact"))
    if targets.products:
        wanted |= Q(pk__in=_current().filter(product__in=targets.products).values("contact"))
    return Contact.objects.filter(wanted)


def _current() -> QuerySet[Membership]:
    return Membership.objects.filter(status__in=Membership.CURRENT)


def customers() -> QuerySet[Contact]:
    """Contacts that hold a current membership."""
    return Contact.objects.filter(pk__in=_current().values("contact"))


def search_targets(
    text: str, kinds: Collection[str] = KINDS, *, customers_only: bool = False, limit: int = 20
) -> list[Target]:
    """What a person who typed `text` may mean: lists and products by name, contacts as they are searched."""
    found: list[Target] = []
    if LISTS in kinds:
        found += _lists(list(active_lists().filter(name__icontains=text.strip())[:limit]))
    if PRODUCTS in kinds:
        found += _products(list(active_products().filter(name__icontains=text.strip())[:limit]))
    if CONTACTS in kinds and len(found) < limit:
        people = contacts.search(text)
        if customers_only:
            people = people.filter(pk__in=_current().values("contact"))
        found += _contacts(people.order_by("last_name", "first_name", "id")[: limit - len(found)])
    return found[:limit]


def target_labels(targets: Targets) -> list[Target]:
    """The targets as a person sees them, in their order; those that are gone are left out. Three statements."""
    found: list[Target] = []
    if targets.lists:
        found += _lists(list(List.objects.filter(pk__in=targets.lists)))
    if targets.products:
        found += _products(list(Product.objects.filter(pk__in=targets.products)))
    if targets.contacts:
        found += _contacts(Contact.objects.filter(pk__in=targets.contacts))
    place = {key: index for index, key in enumerate(targets.ids)}
    return sorted(found, key=lambda target: place[target.id])


def _lists(rows: Sequence[List]) -> list[Target]:
    counts = list_counts([row.pk for row in rows])
    return [
        Target(f"list-{row.pk}", LISTS, row.name, _("%(count)d subscribed") % {"count": counts[row.pk]["confirmed"]})
        for row in rows
    ]


def _products(rows: Sequence[Product]) -> list[Target]:
    counts = product_counts([row.pk for row in rows])
    return [
        Target(f"product-{row.pk}", PRODUCTS, row.name, _("%(count)d customers") % {"count": counts[row.pk]["current"]})
        for row in rows
    ]


def _contacts(rows: Iterable[Contact]) -> list[Target]:
    return [
        Target(f"contact-{row.pk}", CONTACTS, str(row), f"{row.address} · {row.get_kind_display()}") for row in rows
    ]


def list_counts(ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Per list, how many subscriptions stand in each status, and "all"; one statement over an index."""
    rows = Subscription.objects.filter(list__in=ids).values_list("list", "status").annotate(count=Count("id"))
    counts = {key: {"all": 0, **dict.fromkeys(Subscription.Status.values, 0)} for key in ids}
    for key, status, count in rows:
        counts[key][status] += count
        counts[key]["all"] += count
    return counts


def product_counts(ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Per product, how many memberships stand in each status, "current" (who is mailed) and "all"; one statement."""
    rows = Membership.objects.filter(product__in=ids).values_list("product", "status").annotate(count=Count("id"))
    counts = {key: {"all": 0, "current": 0, **dict.fromkeys(Membership.Status.values, 0)} for key in ids}
    for key, status, count in rows:
        counts[key][status] += count
        counts[key]["all"] += count
        counts[key]["current"] += count if status in Membership.CURRENT else 0
    return counts


def on_list(found: QuerySet[Contact], list_id: int, status: str = "") -> QuerySet[Contact]:
    """Those of `found` that stand on the list (in this status)."""
    subscriptions = Subscription.objects.filter(list=list_id)
    if status:
        subscriptions = subscriptions.filter(status=status)
    return found.filter(pk__in=subscriptions.values("contact"))


def on_product(found: QuerySet[Contact], product_id: int, status: str = "") -> QuerySet[Contact]:
    """Those of `found` that have a membership of the product (in this status; "current" for all who are mailed)."""
    memberships = _current() if status == "current" else Membership.objects.all()
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
    selected, parameters = found.order_by().values("id").query.sql_with_params()
    names = ", ".join(connection.ops.quote_name(name) for name in (*columns, with_found))
    marks = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {connection.ops.quote_name(table)} ({names}) "  # noqa: S608  names are of our models
            f"SELECT {marks}, found.id FROM ({selected}) AS found WHERE true ON CONFLICT DO NOTHING",
            [*prepared, *parameters],
        )
        return int(cursor.rowcount)
