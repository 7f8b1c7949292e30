"""What an audience names: lists, products and contacts, as people pick them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet
from django.utils.translation import ngettext

from envoi.audiences.models import Audience, AudienceMember, List, Product, Subscription
from envoi.audiences.queries.people import active_lists, active_products, current, list_counts, product_counts
from envoi.contacts import queries as contacts
from envoi.contacts.models import Contact

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
        wanted |= Q(pk__in=current().filter(product__in=targets.products).values("contact"))
    return Contact.objects.filter(wanted)


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
            people = people.filter(pk__in=current().values("contact"))
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
    return [Target(f"list-{row.pk}", LISTS, row.name, _subscribed(counts[row.pk]["confirmed"])) for row in rows]


def _subscribed(count: int) -> str:
    return ngettext("%(count)d subscribed", "%(count)d subscribed", count) % {"count": count}


def _customers(count: int) -> str:
    return ngettext("%(count)d customer", "%(count)d customers", count) % {"count": count}


def _products(rows: Sequence[Product]) -> list[Target]:
    counts = product_counts([row.pk for row in rows])
    return [Target(f"product-{row.pk}", PRODUCTS, row.name, _customers(counts[row.pk]["current"])) for row in rows]


def _contacts(rows: Iterable[Contact]) -> list[Target]:
    return [
        Target(f"contact-{row.pk}", CONTACTS, str(row), f"{row.address} · {row.get_kind_display()}") for row in rows
    ]
