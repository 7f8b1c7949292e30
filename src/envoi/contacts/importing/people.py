"""From a record to a person, or to what is wrong with the row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from envoi.contacts.importing.columns import FULL_NAME, NEW_FIELD
from envoi.contacts.importing.records import Record
from envoi.contacts.models import FieldDefinition
from envoi.contacts.values import LONGEST, LONGEST_FURTHER, ValueProblem, cleaned, cleaned_further
from envoi.core import addresses, csv_export

FURTHER = "field:"


@dataclass(frozen=True, slots=True)
class Person:
    """What one row says about somebody. Empty cells say nothing: they never empty a field."""

    line: int
    address: str
    key: str
    values: dict[str, str] = field(default_factory=dict)
    further: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row is not taken."""

    line: int
    column: str
    value: str
    reason: str


class Reader:
    """Reads the rows of one file, as its columns are matched to fields.

    Args:
        mapping: number of the column (from 0, as text) → field.
    """

    def __init__(
        self, columns: Sequence[str], mapping: Mapping[str, str], definitions: Mapping[str, FieldDefinition]
    ) -> None:
        self.columns = list(columns)
        self.fields = sorted((int(number), name) for number, name in mapping.items())
        self.definitions = definitions

    def person(self, record: Record) -> Person | Problem:
        """The person that the record tells of, or the first thing that is wrong with it."""
        if any(record.cells[len(self.columns) :]):
            return Problem(
                record.line,
                "",
                record.cells[len(self.columns)],
                _("The row has %(count)d cells, but the header names %(columns)d columns.")
                % {"count": len(record.cells), "columns": len(self.columns)},
            )
        address, values, further = None, {}, {}
        for number, name in self.fields:
            cell = csv_export.restored(record.cells[number]) if number < len(record.cells) else ""
            try:
                if name == "address":
                    address = addresses.parse(cell)
                elif name == FULL_NAME:
                    values.update(_split_name(cleaned(cell, LONGEST["last_name"])))
                elif name == NEW_FIELD:  # not made yet: only tried
                    cleaned(cell, LONGEST_FURTHER)
                elif name.startswith(FURTHER):
                    key = name.removeprefix(FURTHER)
                    value = cleaned_further(cell, self.definitions[key])
                    further.update({} if value == "" else {key: value})
                elif value := cleaned(cell, LONGEST[name]):
                    values[name] = value
            except (ValueProblem, addresses.AddressError) as error:
                return Problem(record.line, self.columns[number], cell.replace("\x00", "�"), str(error))
        if address is None:
            return Problem(record.line, "", "", _("The row has no e-mail address."))
        return Person(record.line, address.text, address.key, values, further)


def _split_name(name: str) -> dict[str, str]:
    """“Ada Lovelace” and “Lovelace, Ada” → first and last name; a single word is the first name."""
    last, comma, first = name.partition(",")
    if not comma:
        first, _blank, last = name.rpartition(" ")
        first, last = (first, last) if first else (last, "")
    found = {"first_name": first.strip(), "last_name": last.strip()}
    return {field: value for field, value in found.items() if value}
