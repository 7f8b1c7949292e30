"""Small makers of what delivery's tests need."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from envoi.audiences.models import Audience, AudienceMember, List, Membership, Product, Subscription
from envoi.contacts.models import Contact, Kind, Suppression
from envoi.core import clock
from envoi.delivery.models import Delivery, Mailing, Purpose, SenderIdentity, Transport
from envoi.delivery.queries.leases import Held, claim
from envoi.delivery.queries.ranges import note_range
from envoi.delivery.queries.results import Settled, settle


def make_contact(address: str, kind: str = Kind.CONTACT, **fields: Any) -> Contact:
    return Contact.objects.create(kind=kind, address=address, address_key=address.lower(), **fields)


def make_list(name: str, *contacts: Contact, status: str = Subscription.Status.CONFIRMED) -> List:
    made = List.objects.create(name=name, slug=name.lower().replace(" ", "-"))
    for contact in contacts:
        Subscription.objects.create(list=made, contact=contact, status=status)
    return made


def make_product(name: str, *contacts: Contact, status: str = Membership.Status.ACTIVE) -> Product:
    made = Product.objects.create(name=name)
    for contact in contacts:
        Membership.objects.create(product=made, contact=contact, status=status)
    return made


def make_audience(*include: List | Product | Contact, exclude: tuple[List | Product | Contact, ...] = ()) -> Audience:
    audience = Audience.objects.create()
    for side, things in (("include", include), ("exclude", exclude)):
        for thing in things:
            AudienceMember.objects.create(audience=audience, side=side, **{type(thing).__name__.lower(): thing})
    return audience


def suppress(address: str, reason: str = Suppression.Reason.MANUAL) -> Suppression:
    return Suppression.objects.create(address_key=address.lower(), reason=reason)


def make_transport(name: str = "", **fields: Any) -> Transport:
    name = name or f"Relay {Transport.objects.count() + 1}"
    values = {"kind": Transport.Kind.SMTP, "host": "127.0.0.1", "security": Transport.Security.NONE, **fields}
    return Transport.objects.create(name=name, **values)


def make_identity(transport: Transport | None = None) -> SenderIdentity:
    return SenderIdentity.objects.create(
        from_name="Envoi", from_address="news@example.org", transport=transport or make_transport()
    )


def make_mailing(
    *addresses: str, transport: Transport | None = None, purpose: str = Purpose.MARKETING, composer: str = "test"
) -> Mailing:
    """A running mailing with one pending row per address, without an audience."""
    mailing = Mailing.objects.create(
        reference=f"test:{Mailing.objects.count() + 1}",
        composer=composer,
        purpose=purpose,
        identity=make_identity(transport),
        message_id_domain="example.org",
        total=len(addresses),
    )
    contacts = Contact.objects.bulk_create(
        Contact(kind=Kind.CONTACT, address=address, address_key=address.lower()) for address in addresses
    )
    Delivery.objects.bulk_create(
        Delivery(
            mailing=mailing,
            contact=contact,
            address=contact.address,
            address_key=contact.address_key,
            key=f"{number:016x}",
        )
        for number, contact in enumerate(contacts)
    )
    note_range(mailing)
    return mailing


def claimed(mailing: Mailing, worker: str, size: int) -> Held:
    """A lease of that many rows at most; there must be some."""
    held = claim(mailing, worker, size)
    assert held is not None
    return held


def offered(held: Held, number: int) -> Settled:
    """Open the window over the first so many rows of a lease."""
    return settle(held, [], offered_to=held.rows[number - 1].id)


def ago(**time: float) -> Any:
    return clock.now() - timedelta(**time)
