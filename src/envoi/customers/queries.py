"""Who is visiting, and what their page shows of them: lists, products, e-mails. By address; a few statements each."""

from __future__ import annotations

from django.db.models import QuerySet

from envoi.audiences.models import Membership, Subscription
from envoi.contacts.models import Contact, Suppression
from envoi.core import clock
from envoi.customers.models import SignIn
from envoi.delivery.models import Delivery, Purpose

SHOWN = (Subscription.Status.CONFIRMED, Subscription.Status.UNSUBSCRIBED)


def visit(sign_in_id: int) -> SignIn | None:
    """The visit, as long as it lasts; with its contact, one statement."""
    lasting = SignIn.objects.filter(ended_at=None, used_at__gt=clock.now() - SignIn.STAYS_FOR)
    return lasting.select_related("contact").filter(pk=sign_in_id).first()


def subscriptions(contact: Contact) -> QuerySet[Subscription]:
    """The lists they stand on or left, by name; those put away are left out."""
    return (
        Subscription.objects.filter(contact__address_key=contact.address_key, status__in=SHOWN, list__archived_at=None)
        .select_related("list")
        .order_by("list__name", "pk")
    )


def memberships(contact: Contact) -> QuerySet[Membership]:
    """The products they hold at present."""
    return (
        Membership.objects.filter(contact__address_key=contact.address_key, status__in=Membership.CURRENT)
        .select_related("product")
        .order_by("product__name", "pk")
    )


def messages(contact: Contact) -> QuerySet[Delivery]:
    """E-mails that were sent to them; links to sign in are not among them."""
    same = Contact.objects.filter(address_key=contact.address_key).values("pk")
    return (
        Delivery.objects.filter(contact__in=same, state=Delivery.State.SENT)
        .exclude(mailing__purpose=Purpose.TRANSACTIONAL)
        .select_related("mailing", "contact")
    )


def suppression(contact: Contact) -> Suppression | None:
    """Why nothing is sent to their address, if nothing is."""
    return Suppression.objects.filter(address_key=contact.address_key).first()
