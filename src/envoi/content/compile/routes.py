"""Where values stand in what a message is rendered from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from envoi.content.merge_tags import SPECIALS

Data = Mapping[str, Any]
Specials = Mapping[str, str]
Route = tuple[str, ...]
"""Where a value stands: ("contact", "first_name"), ("contact", "fields", "colour"), or ("unsubscribe_url",)."""

ROOTS = frozenset({"contact", "organisation", "broadcast"}) | SPECIALS
MISSING: Final = object()
"""The value of what is not there at all."""


def found(route: Route, data: Data, specials: Specials) -> object:
    """The value at `route`, `MISSING` when there is none."""
    if len(route) == 1:
        return specials.get(route[0], MISSING)
    try:
        value = data[route[0]][route[1]]
        if len(route) == 3:
            value = value[route[2]] if isinstance(value, dict) else None
    except (KeyError, TypeError):
        return MISSING
    return value
