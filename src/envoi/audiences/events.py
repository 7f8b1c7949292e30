"""What happens to lists, products and audiences that other domains want to know."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """A contact left a list."""

    list_id: int
    contact_id: int


@dataclass(frozen=True, slots=True)
class ReachChanged:
    """Who is on a list or holds a product may have changed."""


@dataclass(frozen=True, slots=True)
class AudienceSaved:
    """An audience names other lists, products or contacts now."""

    audience_id: int
