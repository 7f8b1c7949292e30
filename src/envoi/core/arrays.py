"""Lists as PostgreSQL reads them from text, for a parameter that the statement casts (`%s::bigint[]`).

psycopg writes a list element by element in Python: three lists of 75 cost twice what all the rest of sending the
statement does, for client and server alike.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable


def of_numbers(values: Iterable[int]) -> str:
    """The literal of an array of integers (PostgreSQL 15, 8.15.2)."""
    return "{" + ",".join(map(str, values)) + "}"


def of_texts(values: Collection[str]) -> str:
    """The literal of an array of texts, each quoted (PostgreSQL 15, 8.15.6)."""
    joined = '","'.join(values)
    # No quotes but those between them: so it is nearly always, and to look at each takes four times as long.
    if values and joined.count('"') == 2 * (len(values) - 1) and "\\" not in joined:
        return f'{{"{joined}"}}'
    return "{" + ",".join([f'"{_escaped(value)}"' for value in values]) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
