"""What may stand in a contact's fields: one set of rules for forms, files and the API.

Guarantee: `cleaned` is idempotent, so what was exported and is read again compares equal to what is stored.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from envoi.contacts.models import Contact, FieldDefinition

# The columns a person fills in, beside the address and the further fields; in the order of forms and exports.
TEXT_FIELDS = (
    "first_name",
    "last_name",
    "organisation",
    "phone",
    "city",
    "country",
    "language",
    "reference",
)


def _length(name: str) -> int:
    return int(getattr(Contact._meta.get_field(name), "max_length"))  # noqa: B009  a relation has none


LONGEST: dict[str, int] = {name: _length(name) for name in TEXT_FIELDS}
LONGEST_FURTHER = 1000
YES = {"1", "y", "yes", "true", "oui", "vrai", "ja", "waar", "sant", "x"}
NO = {"0", "n", "no", "false", "non", "faux", "nee", "onwaar", "nej", "falskt"}


class ValueProblem(ValueError):
    """A value cannot stand in its field; the message says why, for a person."""


def cleaned(text: str, longest: int) -> str:
    """`text` without blanks around it.

    Raises:
        ValueProblem: it is longer than `longest` characters, or holds a NUL or a lone surrogate (no database takes
            them).
    """
    stripped = text.strip()
    if "\x00" in stripped:
        raise ValueProblem(_("It holds a NUL character; remove it."))
    if not stripped.isascii() and any("\ud800" <= letter <= "\udfff" for letter in stripped):
        raise ValueProblem(_("It holds half a character (a lone surrogate); write it again."))
    if len(stripped) > longest:
        raise ValueProblem(
            _("It has %(length)d characters; at most %(longest)d fit.") % {"length": len(stripped), "longest": longest}
        )
    return stripped


def cleaned_further(text: str, definition: FieldDefinition) -> Any:
    """The value of a further field, as its type stores it in JSON: str, int, float, bool, or an ISO date.

    Raises:
        ValueProblem: it is not of the field's type.
    """
    value = cleaned(text, LONGEST_FURTHER)
    if not value:
        return ""
    match definition.type:
        case FieldDefinition.Type.NUMBER:
            return _number(value)
        case FieldDefinition.Type.DATE:
            return _date(value)
        case FieldDefinition.Type.YES_NO:
            return _yes_no(value)
    return value


def _number(text: str) -> int | float:
    try:
        found = Decimal(text.replace("\u00a0", "").replace(" ", ""))
    except InvalidOperation as error:
        raise ValueProblem(_("It is not a number; write it like 1234.5.")) from error
    if not found.is_finite():
        raise ValueProblem(_("It is not a number; write it like 1234.5."))
    return int(found) if found == found.to_integral_value() and abs(found) < 10**15 else float(found)


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError as error:
        raise ValueProblem(_("It is not a date; write it like 2026-12-31.")) from error


def _yes_no(text: str) -> bool:
    lowered = text.lower()
    if lowered in YES:
        return True
    if lowered in NO:
        return False
    raise ValueProblem(_("It is neither yes nor no."))
