"""Add, change and remove sender identities, with the transports their mail goes over and their warm-up.

Guarantee: as long as there is a sender identity, exactly one is the default.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.core import addresses
from envoi.core.events import announce
from envoi.delivery.actions import problems
from envoi.delivery.actions.removing import remove_unneeded
from envoi.delivery.actions.standstill import wake_waiting
from envoi.delivery.events import SendingChanged
from envoi.delivery.models import Mailing, Route, SenderIdentity


@dataclass(frozen=True, slots=True)
class SenderValues:
    """All that may be set on a sender identity.

    Attributes:
        transport: the key of its transport.
        weight: the share of that one beside those of `routes`.
        routes: further transports (key, weight); one of weight 0 carries only what the others cannot.
        warm_up_from: the first day of the warm-up; None for none.
    """

    from_address: str
    transport: int
    from_name: str = ""
    reply_to: str = ""
    weight: int = 1
    routes: tuple[tuple[int, int], ...] = ()
    warm_up_from: date | None = None
    warm_up_first: int = 200
    warm_up_growth: int = 50
    warm_up_until: int = 50_000


def add(wanted: SenderValues, *, actor: User | None) -> SenderIdentity:
    """A new sender identity; the first of all is the default.

    Raises:
        SendingRefused: something does not fit; nothing is stored.
    """
    with transaction.atomic():
        identity = SenderIdentity(is_default=not SenderIdentity.objects.filter(is_default=True).exists())
        problems.refuse(problems.of_sender(identity, wanted))
        _carry(identity, wanted)
        audit.record(actor, "create", identity, **_told(wanted))
        announce(SendingChanged(identity.transport_id))
    return identity


def change(identity: SenderIdentity, wanted: SenderValues, *, actor: User | None) -> SenderIdentity:
    """Store `wanted` on `identity`. Broadcasts that have started keep name and addresses, and follow its transports.

    Raises:
        SendingRefused: something does not fit; nothing is changed.
    """
    with transaction.atomic():
        current = SenderIdentity.objects.select_for_update().get(pk=identity.pk)
        problems.refuse(problems.of_sender(current, wanted))
        _carry(current, wanted)
        audit.record(actor, "change", current, **_told(wanted))
        announce(SendingChanged(current.transport_id))
        wake_waiting(current.transport)
    return current


def make_default(identity: SenderIdentity, *, actor: User | None) -> bool:
    """Let new broadcasts and the system's own mail come from `identity`. False when it is the default already."""
    with transaction.atomic():
        rows = {row.pk: row for row in SenderIdentity.objects.select_for_update().order_by("pk")}
        if rows[identity.pk].is_default:
            return False
        SenderIdentity.objects.filter(is_default=True).update(is_default=False)
        SenderIdentity.objects.filter(pk=identity.pk).update(is_default=True)
        audit.record(actor, "make_default", identity)
        announce(SendingChanged(rows[identity.pk].transport_id))
    identity.is_default = True
    return True


def remove(identity: SenderIdentity, *, actor: User | None) -> None:
    """Forget a sender identity from which nothing was ever sent.

    Raises:
        InUse: it is the default, a broadcast or a draft comes from it.
    """
    with transaction.atomic():
        current = SenderIdentity.objects.select_for_update().get(pk=identity.pk)
        named = _("A draft uses it. Choose another sender there first.")
        remove_unneeded(current, why_needed(current), named, actor=actor)


def why_needed(identity: SenderIdentity) -> str:
    """Why `identity` cannot be removed, as far as sending knows, for people; "" when it can."""
    if identity.is_default:
        return _("It is the default. Make another sender the default first.")
    if Mailing.objects.filter(identity=identity).exists():
        return _("Broadcasts were sent from it, and their records name it. It can be changed, but not removed.")
    return ""


def _carry(identity: SenderIdentity, wanted: SenderValues) -> None:
    identity.from_name = wanted.from_name.strip()
    identity.from_address = addresses.parse(wanted.from_address).text
    identity.reply_to = addresses.parse(wanted.reply_to).text if wanted.reply_to.strip() else ""
    identity.transport_id = wanted.transport
    identity.weight = wanted.weight
    for field in ("warm_up_from", "warm_up_first", "warm_up_growth", "warm_up_until"):
        setattr(identity, field, getattr(wanted, field))
    identity.save()
    weights = dict(wanted.routes)
    identity.routes.exclude(transport__in=weights).delete()
    stands = {route.transport_id: route for route in identity.routes.all()}
    for transport, weight in weights.items():
        if transport not in stands:
            Route.objects.create(identity=identity, transport_id=transport, weight=weight)
        elif stands[transport].weight != weight:
            stands[transport].weight = weight
            stands[transport].save(update_fields=["weight"])


def _told(wanted: SenderValues) -> dict[str, object]:
    told: dict[str, object] = {"transport": wanted.transport, "routes": [list(route) for route in wanted.routes]}
    if wanted.warm_up_from is not None:
        told |= {"warm_up_from": wanted.warm_up_from.isoformat()}
    return told
