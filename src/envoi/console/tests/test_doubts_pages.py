"""The log of a broadcast: those whose outcome is unknown, by name, with what can be done about them."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from envoi.accounts.models import Role
from envoi.broadcasts.models import Broadcast
from envoi.broadcasts.tests.factories import make_user
from envoi.console.tests.test_broadcast_pages import started
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.queries import recount

pytestmark = pytest.mark.django_db


@pytest.fixture
def broadcast() -> Broadcast:
    """Sent to Ada; of Bob and Chloé nobody knows."""
    made = started("ada@example.net", "bob@example.net", "chloe@example.net")
    assert made.mailing is not None
    made.mailing.deliveries.update(state=Delivery.State.SENT)
    made.mailing.deliveries.exclude(address="ada@example.net").update(state=Delivery.State.UNKNOWN)
    recount(made.mailing)
    return made


def log(broadcast: Broadcast) -> str:
    return reverse("broadcasts:log", kwargs={"pk": broadcast.pk}) + "?state=unknown"


def decide(client: Client, broadcast: Broadcast, **what: object) -> str:
    answer = client.post(reverse("broadcasts:doubts", kwargs={"pk": broadcast.pk}), what, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def states() -> dict[str, str]:
    return {row.address.partition("@")[0]: row.state for row in Delivery.objects.all()}


def test_they_are_listed_by_name_with_what_can_be_done(client: Client, broadcast: Broadcast) -> None:
    client.force_login(make_user(role=Role.EDITOR))
    page = client.get(log(broadcast)).content.decode()
    assert "bob@example.net" in page
    assert "ada@example.net" not in page
    assert "each may have arrived or not" in page
    assert page.count("Send to all of them again") == 1
    assert page.count("Mark as sent: ") == page.count("Send again: ") == 2


def test_who_may_not_send_may_not_decide(client: Client, broadcast: Broadcast) -> None:
    client.force_login(make_user(role=Role.VIEWER))
    page = client.get(log(broadcast)).content.decode()
    assert "bob@example.net" in page
    assert "Send again" not in page
    refused = client.post(reverse("broadcasts:doubts", kwargs={"pk": broadcast.pk}), {"do": "again"})
    assert refused.status_code == 403
    assert states() == {"ada": "sent", "bob": "unknown", "chloe": "unknown"}


def test_one_is_marked_as_sent_and_the_rest_is_sent_to_again(client: Client, broadcast: Broadcast) -> None:
    client.force_login(make_user(role=Role.EDITOR))
    bob = Delivery.objects.get(address="bob@example.net")
    assert "1 message is marked as sent." in decide(client, broadcast, do="sent", delivery=bob.pk)
    assert states() == {"ada": "sent", "bob": "sent", "chloe": "unknown"}
    assert "It is sent to 1 person again." in decide(client, broadcast, do="again")
    assert states() == {"ada": "sent", "bob": "sent", "chloe": "pending"}
    assert Mailing.objects.get().state == Mailing.State.RUNNING
    assert "There is nobody left whose outcome is unknown" in decide(client, broadcast, do="again")
