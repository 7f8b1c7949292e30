"""The link by which a customer signs in."""

from __future__ import annotations

import pytest

from envoi.contacts.models import Contact, Kind
from envoi.core.tasks import registered
from envoi.core.tasks.engine import engine
from envoi.customers.actions import signing_in
from envoi.delivery.models import Mailing


@pytest.mark.django_db
def test_nobody_waits_for_a_link_behind_a_broadcast_or_an_import() -> None:
    Contact.objects.create(kind=Kind.CONTACT, address="ada@example.org", address_key="ada@example.org")
    made = signing_in.send("ada@example.org", "en")
    mailing = Mailing.objects.get()
    assert made is not None
    assert mailing.reference == f"sign-in:{made.pk}"
    assert mailing.priority == Mailing.Priority.PERSONAL
    assert [(task.name, task.arguments) for task in engine().waiting()] == [
        ("delivery.send_personal", {"mailing_id": mailing.pk})
    ]
    queues = [registered()[name].task.queue_name for name in ("customers.send_link", "delivery.send_personal")]
    assert queues == ["personal", "personal"]
