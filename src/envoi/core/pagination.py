"""Keyset pagination: a page is found by the last row of the one before, so page 10,000 costs what page 1 costs.

No COUNT is asked. The cursor is base64url of JSON; it says where a page begins and carries no right to see it.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows and the cursors of the neighbouring pages ("" where there is none)."""

    rows: list[Row]
    next: str
    previous: str

    def __bool__(self) -> bool:
        return bool(self.rows)


def paginate(rows: QuerySet[Row], order: tuple[str, ...], cursor: str = "", size: int = 50) -> Page[Row]:
    """One page of `rows` in `order`.

    Args:
        order: field names, a minus sign before a descending one; together they must be unique and not null.
        cursor: of a `Page`; an unreadable one gives the first page.
        size: rows on a page.
    """
    backwards, values = _read(cursor, len(order))
    effective = tuple(_flipped(field) for field in order) if backwards else order
    if values is not None:
        try:
            rows = rows.filter(_after(effective, values))
        except (ValueError, TypeError, ValidationError):
            return paginate(rows, order, "", size)
    found = list(rows.order_by(*effective)[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    if not found:
        return Page([], "", "")
    return Page(
        rows=found,
        next=_write("n", found[-1], order) if more or backwards else "",
        previous=_write("p", found[0], order) if (more if backwards else values is not None) else "",
    )


def _after(order: tuple[str, ...], values: list[Any]) -> Q:
    wanted = Q()
    for index, field in enumerate(order):
        here = Q(**{f"{_name(field)}__{'lt' if field.startswith('-') else 'gt'}": values[index]})
        for before in range(index):
            here &= Q(**{_name(order[before]): values[before]})
        wanted |= here
    return wanted


def _name(field: str) -> str:
    return field.removeprefix("-")


def _flipped(field: str) -> str:
    return field.removeprefix("-") if field.startswith("-") else f"-{field}"


def _write(direction: str, row: Model, order: tuple[str, ...]) -> str:
    values = [_plain(getattr(row, _name(field))) for field in order]
    return urlsafe_b64encode(json.dumps([direction, *values]).encode()).rstrip(b"=").decode()


def _plain(value: Any) -> Any:
    return {"at": value.isoformat()} if isinstance(value, datetime) else value


def _read(cursor: str, length: int) -> tuple[bool, list[Any] | None]:
    try:
        direction, *values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        restored = [datetime.fromisoformat(value["at"]) if isinstance(value, dict) else value for value in values]
    except (ValueError, KeyError, TypeError):
        return False, None
    if len(restored) != length or any(isinstance(value, list) for value in restored):
        return False, None
    return direction == "p", restored
