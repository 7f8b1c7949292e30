"""What a person searches on the contacts page: the same words for the page, a bulk action and the export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from re import fullmatch
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from envoi.audiences import queries as audiences
from envoi.contacts import queries as contacts
from envoi.contacts.models import Contact, Kind


@dataclass(frozen=True, slots=True)
class Search:
    """A search as it stands in the address of the page; unknown values count as not given."""

    q: str = ""
    kind: str = ""
    language: str = ""
    list: str = ""
    product: str = ""
    suppressed: str = ""
    sort: str = "-added"

    @classmethod
    def read(cls, given: QueryDict) -> Search:
        found = {name: given.get(name, "").replace("\x00", "")[:200] for name in cls.__slots__}
        if found["kind"] not in Kind.values:
            found["kind"] = ""
        if found["suppressed"] not in {"yes", "no"}:
            found["suppressed"] = ""
        for name in ("list", "product"):
            found[name] = found[name] if fullmatch("[0-9]{1,18}", found[name]) else ""
        if found["sort"] not in contacts.ORDERS:
            found["sort"] = "-added"
        return cls(**found)

    @property
    def narrowed(self) -> bool:
        return bool(self.q or self.kind or self.language or self.list or self.product or self.suppressed)

    @property
    def order(self) -> tuple[str, ...]:
        return contacts.ORDERS[self.sort]

    @property
    def query(self) -> str:
        """As the end of an address."""
        return urlencode({name: value for name in self.__slots__ if (value := getattr(self, name))})

    def results(self) -> QuerySet[Contact]:
        suppressed = {"yes": True, "no": False}.get(self.suppressed)
        found = contacts.search(self.q, kind=self.kind, language=self.language, suppressed=suppressed)
        if self.list:
            found = audiences.on_list(found, int(self.list))
        if self.product:
            found = audiences.on_product(found, int(self.product))
        return found

    def filters(self) -> Sequence[dict[str, Any]]:
        """The choices beside the search field; four statements."""
        return [
            _filter("kind", _("Any kind"), list(Kind.choices), self.kind),
            _filter("list", _("Any list"), _named(audiences.active_lists()), self.list),
            _filter("product", _("Any product"), _named(audiences.active_products()), self.product),
            _filter("language", _("Any language"), [(one, one) for one in contacts.languages()], self.language),
            _filter(
                "suppressed",
                _("Mailable or not"),
                [("no", _("May be mailed")), ("yes", _("Suppressed"))],
                self.suppressed,
            ),
        ]


def _named(rows: QuerySet[Any]) -> list[tuple[str, str]]:
    # A filter with more choices than this is no help; such installations search by list on the list's own page.
    return [(str(key), name) for key, name in rows.values_list("id", "name")[:200]]


def _filter(name: str, label: str, choices: list[tuple[str, Any]], value: str) -> dict[str, Any]:
    return {"name": name, "label": label, "choices": choices, "value": value}
