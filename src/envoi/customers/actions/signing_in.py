"""Ask for a link, come in with it, leave."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Case, Value, When

from envoi.audiences.actions.audiences import save_audience
from envoi.audiences.queries import Targets
from envoi.contacts.models import Contact, Kind
from envoi.core import addresses, clock
from envoi.core.tasks import later
from envoi.customers.composer import COMPOSER, REFERENCE
from envoi.customers.models import SignIn
from envoi.delivery.actions import mailing
from envoi.delivery.actions.setup import ensure_defaults
from envoi.delivery.models import Mailing, Purpose

# A person who asks again and again, or somebody who asks in their name, gets no more than this.
MOST, WITHIN = 3, timedelta(minutes=15)
KEPT = timedelta(days=60)
_TURN = {Kind.CONTACT: 0, Kind.LEAD: 1, Kind.USER: 2, Kind.ACCOUNT: 3}


class LinkOver(Exception):
    """The link was used, is too old, or belongs to nobody any more."""


def ask(address: str, language: str) -> None:
    """Order a link for whoever has this address. As much is done for an address that is unknown: see `send`."""
    later("customers.send_link", address=address[: addresses.LONGEST], language=language, priority=50)


def send(address: str, language: str) -> SignIn | None:
    """Send the link, if the address is somebody's and did not get several just now."""
    turn = Case(*(When(kind=kind, then=Value(place)) for kind, place in _TURN.items()), default=Value(9))
    contact = Contact.objects.filter(address_key=addresses.key_of(address)).order_by(turn, "id").first()
    if contact is None:
        return None
    with transaction.atomic():
        Contact.objects.select_for_update().get(pk=contact.pk)
        if SignIn.objects.filter(contact=contact, asked_at__gt=clock.now() - WITHIN).count() >= MOST:
            return None
        made = SignIn.objects.create(contact=contact, language=language)
        mailing.start(
            save_audience(None, include=Targets(contacts=(contact.pk,)), actor=None),
            reference=f"{REFERENCE}{made.pk}",
            composer=COMPOSER,
            purpose=Purpose.TRANSACTIONAL,
            identity=ensure_defaults(),
            actor=None,
            priority=Mailing.Priority.PERSONAL,
        )
    return made


def enter(sign_in_id: int) -> SignIn:
    """Use the link up. Of two who press at once, one comes in.

    Raises:
        LinkOver: see there.
    """
    now = clock.now()
    waiting = SignIn.objects.filter(pk=sign_in_id, used_at=None, asked_at__gt=now - SignIn.VALID_FOR)
    if not waiting.update(used_at=now):
        raise LinkOver
    return SignIn.objects.select_related("contact").get(pk=sign_in_id)


def leave(sign_in: SignIn) -> None:
    """End the visit: its cookie is worth nothing from now on."""
    SignIn.objects.filter(pk=sign_in.pk, ended_at=None).update(ended_at=clock.now())


def tidy() -> int:
    """Forget sign-ins that can be of no use any more; how many."""
    taken, _by_model = SignIn.objects.filter(asked_at__lt=clock.now() - KEPT).delete()
    return taken
