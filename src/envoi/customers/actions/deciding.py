"""What customers decide for themselves: language, lists, no e-mail at all. By address, whichever contacts hold it."""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings
from django.db import transaction

from envoi.audiences.actions import unsubscribing
from envoi.audiences.models import Subscription
from envoi.contacts.actions import contacts, suppressions
from envoi.contacts.models import Contact, Suppression
from envoi.customers import queries

SOURCE = "customer page"


def choose_language(contact: Contact, language: str) -> bool:
    """Write to them in this language. False when there is no such one."""
    if language not in dict(settings.LANGUAGES):
        return False
    contacts.update(contact, {"language": language}, actor=None)
    return True


def choose_lists(contact: Contact, wanted: Collection[int]) -> None:
    """Stay on the `wanted` of the lists they were put on, and come back to those they left; leave the others."""
    with transaction.atomic():
        standing = list(queries.subscriptions(contact))
        unsubscribing.leave(contact.address_key, [one.list_id for one in standing if one.list_id not in wanted])
        back = [one.pk for one in standing if one.list_id in wanted and one.status == Subscription.Status.UNSUBSCRIBED]
        if back:
            unsubscribing.come_back(contact.address_key, back)


def stop_everything(contact: Contact) -> None:
    """No news or announcements to this address any more. Again is no fault."""
    suppressions.suppress(contact.address_key, Suppression.Reason.UNSUBSCRIBED, source=SOURCE, actor=None)


def allow_again(contact: Contact) -> bool:
    """Take back `stop_everything`. False when it was not the person who stopped it."""
    found = Suppression.objects.filter(address_key=contact.address_key, reason=Suppression.Reason.UNSUBSCRIBED).first()
    if found is None:
        return False
    suppressions.lift(found, actor=None)
    return True
