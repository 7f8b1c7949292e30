"""What happens to lists that other domains want to know."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """A contact left a list."""

    list_id: int
    contact_id: int
