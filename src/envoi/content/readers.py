"""What a message says of its reader, straight from the columns: for sending, where a model per person costs too much.

Guarantee: the values are those of `merge_tags.person` for the same contact; one query per batch, for the columns that
the message shows and no others.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from envoi.contacts import queries
from envoi.content.compile import MISSING, Route
from envoi.content.merge_tags import CONTACT_NAMES

Loaded = tuple[Any, ...]
_OF_LEDGER = frozenset({"email", "address"})
_NAME = ("first_name", "last_name", "organisation")
NAME = 0


class Readers:
    """Of one message.

    Attributes:
        layout: which of the values that `load` gives each route leads to; `NAME` is always the reader's name.
        length: how many values there are.
    """

    def __init__(self, variables: Iterable[str]) -> None:
        """Args:
        variables: of a `Skeleton`.
        """
        names = _names_of(variables)
        self._further = sorted(_further_of(variables)) if "fields" in names else []
        # The parts of the name stand first: it is in To whatever the message says.
        self._columns = (*_NAME, *sorted(names - {*_NAME, *_OF_LEDGER, "name", "fields"}))
        self._queried = (*self._columns, "fields") if "fields" in names else self._columns
        routes: list[Route] = [("contact", "name"), *(("contact", column) for column in self._columns)]
        if "fields" in names:
            routes += [("contact", "fields"), *(("contact", "fields", key) for key in self._further)]
        self.layout: Mapping[Route, int] = {route: at for at, route in enumerate(routes)}
        self.length = len(routes)
        self._nobody: Loaded = (MISSING,) * self.length

    def load(self, contacts: Sequence[int | None]) -> list[Loaded]:
        """The values of each, in order; of one who is gone in the meantime, `MISSING` for each."""
        found = queries.columns(self._queried, [contact for contact in contacts if contact is not None])
        if len(self._queried) == len(self._columns):
            known = {row[0]: (_name(row), *row[1:]) for row in found}
        else:
            known = {row[0]: self._with_fields(row) for row in found}
        nobody = self._nobody
        return [known.get(contact, nobody) for contact in contacts]

    def _with_fields(self, row: Loaded) -> Loaded:
        fields = json.loads(row[-1]) if isinstance(row[-1], str) else row[-1]
        further = [fields.get(key, MISSING) if isinstance(fields, dict) else None for key in self._further]
        return (_name(row), *row[1:-1], fields, *further)


def _name(row: Loaded) -> str:
    name: str = f"{row[1]} {row[2]}".strip() or row[3]
    return name


def _names_of(variables: Iterable[str]) -> frozenset[str]:
    """Of the contact, what the message may read: all, when it does not say what in so many words."""
    found = set()
    for variable in variables:
        root, _, rest = variable.partition(".")
        name = rest.partition(".")[0]
        if root == "contact" and name not in CONTACT_NAMES:
            return CONTACT_NAMES
        if root == "contact":
            found.add(name)
    return frozenset(found)


def _further_of(variables: Iterable[str]) -> set[str]:
    parts = [variable.split(".") for variable in variables]
    return {one[2] for one in parts if len(one) >= 3 and one[:2] == ["contact", "fields"]}
