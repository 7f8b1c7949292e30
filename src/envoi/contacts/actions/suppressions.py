"""Never mail an address again, or allow it once more. Suppressions are of addresses, whoever holds them."""

from __future__ import annotations

from django.db import transaction

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.contacts.events import Suppressed, SuppressionLifted
from envoi.contacts.models import Suppression
from envoi.core import addresses, clock, events

# A stronger reason replaces a weaker one, never the other way round: an erased address stays erased.
STRENGTH = {
    Suppression.Reason.MANUAL: 1,
    Suppression.Reason.UNSUBSCRIBED: 1,
    Suppression.Reason.HARD_BOUNCE: 2,
    Suppression.Reason.COMPLAINT: 3,
    Suppression.Reason.ERASED: 4,
}


def suppress(address: str, reason: str, *, source: str = "", actor: User | None) -> Suppression:
    """Suppress `address` (an address or its key). Again is no fault; only a stronger reason replaces the first.

    Raises:
        addresses.AddressError: somebody (`actor`) typed something that is no address.
    """
    key = addresses.parse(address).key if actor else addresses.key_of(address)
    with transaction.atomic():
        found, created = Suppression.objects.get_or_create(
            address_key=key, defaults={"reason": reason, "source": source[:200], "created_at": clock.now()}
        )
        stronger = STRENGTH[Suppression.Reason(reason)] > STRENGTH[Suppression.Reason(found.reason)]
        if not created and stronger:
            found.reason, found.source = reason, source[:200]
            found.save(update_fields=["reason", "source"])
        if created or stronger:
            if actor:
                audit.record(actor, "suppress", found, reason=reason)
            events.announce(Suppressed(key, reason))
    return found


def lift(suppression: Suppression, *, actor: User | None) -> None:
    """Allow the address to be mailed again."""
    with transaction.atomic():
        audit.record(actor, "lift_suppression", suppression, reason=suppression.reason)
        suppression.delete()
        events.announce(SuppressionLifted(suppression.address_key))
