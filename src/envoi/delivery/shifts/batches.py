"""From leased rows to messages."""

from __future__ import annotations

from collections.abc import Sequence

from envoi.delivery.composers import Compose, Leased, Message, RenderProblem


def compose_rows(rows: Sequence[Leased], compose: Compose) -> list[tuple[Leased, Message | RenderProblem]]:
    """Each row with its message, or why it has none; all in one call of the composer."""
    if not rows:
        return []
    return [(row, compose.write(row, loaded)) for row, loaded in zip(rows, compose.load(rows), strict=True)]
