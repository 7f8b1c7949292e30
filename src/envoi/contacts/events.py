"""What happens to contacts that other domains want to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ContactsTaken:
    """One batch of an import was written.

    Attributes:
        contact_ids: those who may be subscribed to something: suppressed addresses are left out.
    """

    import_id: int
    contact_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class ContactsChanged:
    """Contacts came, went or have another address or reference: who stands behind an address may have changed."""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """An address is not to be mailed any more."""

    address_key: str
    reason: str


@dataclass(frozen=True, slots=True)
class SuppressionLifted:
    """An operator allowed an address to be mailed again."""

    address_key: str
