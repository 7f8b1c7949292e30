"""From the names that people and programs write to the targets they mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from envoi.audiences.models import List, Product
from envoi.audiences.queries.people import active_lists, active_products
from envoi.audiences.queries.targets import Targets
from envoi.contacts.models import Contact
from envoi.core import addresses

Name = str | int
BY_REFERENCE, BY_ADDRESS, BY_NUMBER = "ref:", "mail:", "id:"
LARGEST = 2**63 - 1


class NamesUnknown(LookupError):
    """Some names mean nothing here.

    Attributes:
        problems: (“products”, place in the list, what is wrong), for people.
    """

    def __init__(self, problems: Sequence[tuple[str, int, str]]) -> None:
        super().__init__(" ".join(message for _kind, _place, message in problems))
        self.problems = problems


def named_targets(
    *, products: Sequence[Name] = (), lists: Sequence[Name] = (), contacts: Sequence[Name] = ()
) -> Targets:
    """The targets of these names; a few statements whatever their number.

    Args:
        products, lists: names (small and capital letters do not matter) or numbers of such as are not archived.
        contacts: addresses (every contact that has it is meant), “ref:” and a reference, or numbers.

    Raises:
        NamesUnknown: nothing, or nothing that can be told apart, has one of the names.
    """
    problems: list[tuple[str, int, str]] = []

    def meant(kind: str, names: Sequence[Name], found: Callable[[Sequence[Name]], list[list[int]]], no: str) -> Any:
        ids: list[int] = []
        for place, (name, mine) in enumerate(zip(names, found(names) if names else [], strict=True)):
            ids += mine
            if not mine:
                problems.append((kind, place, no % {"name": str(name)[:100]}))
        return tuple(dict.fromkeys(ids))

    targets = Targets(
        lists=meant("lists", lists, lambda names: _by_name(active_lists(), names), _("There is no list “%(name)s”.")),
        products=meant(
            "products", products, lambda names: _by_name(active_products(), names), _("There is no product “%(name)s”.")
        ),
        contacts=meant("contacts", contacts, _people, _("There is no contact “%(name)s”.")),
    )
    if problems:
        raise NamesUnknown(problems)
    return targets


def _by_name(rows: QuerySet[List] | QuerySet[Product], names: Sequence[Name]) -> list[list[int]]:
    """Exactly so written first; else the only one that differs in small and capital letters."""
    exact: dict[Name, int] = {}
    folded: dict[str, list[int]] = defaultdict(list)
    for pk, called in rows.values_list("pk", "name"):
        exact[pk] = exact[called] = pk
        folded[called.casefold()].append(pk)
    found = []
    for name in names:
        alike = folded[str(name).strip().casefold()]
        found.append([exact[name]] if name in exact else alike if len(alike) == 1 else [])
    return found


def _people(names: Sequence[Name]) -> list[list[int]]:
    """Each name's contacts; one statement for all."""
    asked = [_asked(name) for name in names]
    by: dict[str, list[Any]] = defaultdict(list)
    for column, value in asked:
        by[column].append(value)
    wanted = Q(pk__in=[])
    for column, values in by.items():
        wanted |= Q(**{f"{column}__in": values})
    found: dict[tuple[str, Any], list[int]] = defaultdict(list)
    for row in Contact.objects.filter(wanted).order_by("pk").only("pk", "address_key", "reference"):
        for column in by:
            found[column, getattr(row, column)].append(row.pk)
    return [found[pair] for pair in asked]


def _asked(name: Name) -> tuple[str, Any]:
    if isinstance(name, int):
        return "pk", name
    text = name.strip()
    if text.startswith(BY_REFERENCE) and text != BY_REFERENCE:
        return "reference", text.removeprefix(BY_REFERENCE)
    number = text.removeprefix(BY_NUMBER)
    if text.startswith(BY_NUMBER) and number.isascii() and number.isdigit():
        return "pk", min(int(number[:19]), LARGEST)
    return "address_key", addresses.key_of(text.removeprefix(BY_ADDRESS))
