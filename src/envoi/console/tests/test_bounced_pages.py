"""Where people see what came back: on the broadcast's page and in its log, in the server's words."""

from __future__ import annotations

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from envoi.accounts.models import Role
from envoi.bounces.actions.receive import receive
from envoi.bounces.tests.factories import path_of, report
from envoi.broadcasts.actions.send import send
from envoi.broadcasts.models import Broadcast
from envoi.broadcasts.tests.factories import make_draft, make_user
from envoi.delivery.models import Delivery
from envoi.delivery.queries import recount
from envoi.delivery.tests.factories import make_contact, make_list

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(make_user(Role.EDITOR))
    return client


@pytest.fixture
def sent() -> Broadcast:
    """Sent to Ada, Bob and Chloé; Bob's comes back."""
    readers = make_list("Readers", *(make_contact(f"{name}@example.net") for name in ("ada", "bob", "chloe")))
    draft = make_draft(readers)
    mailing = send(draft, actor=None)
    mailing.deliveries.update(state=Delivery.State.SENT, reply_code=250)
    recount(mailing)
    bob = mailing.deliveries.get(address="bob@example.net")
    receive(report(bob.address, status="5.2.2", said="X-Unix; <b>Mailbox</b> full"), sent_to=[path_of(bob)])
    return Broadcast.objects.get(pk=draft.pk)


def test_the_log_shows_who_bounced_and_what_the_server_said(editor: Client, sent: Broadcast) -> None:
    log = reverse("broadcasts:log", kwargs={"pk": sent.pk})
    shown = editor.get(log, {"state": "bounced"}).content.decode()
    assert "bob@example.net" in shown
    assert "ada@example.net" not in shown
    assert "The mail server had accepted it, and it came back." in shown
    assert "5.2.2 &lt;b&gt;Mailbox&lt;/b&gt; full" in shown
    assert "None" not in shown


def test_the_export_says_so_too(editor: Client, sent: Broadcast) -> None:
    answer = editor.get(reverse("broadcasts:log-export", kwargs={"pk": sent.pk}), {"state": "bounced"})
    assert isinstance(answer, StreamingHttpResponse)
    lines = answer.getvalue().decode().splitlines()
    assert len(lines) == 2
    assert "bob@example.net" in lines[1]
    assert "Bounced" in lines[1]


def test_the_page_counts_them_apart_from_those_that_were_sent(editor: Client, sent: Broadcast) -> None:
    answer = editor.get(reverse("broadcasts:show", kwargs={"pk": sent.pk}))
    cards = {card.label: card for card in answer.context["cards"]}
    assert (cards["Sent"].number, cards["Bounced"].number, cards["Failed"].number) == (2, 1, 0)
    assert cards["Bounced"].note == "33.3% of those accepted came back."
    assert cards["Bounced"].url.endswith("?state=bounced")
    assert answer.context["progress"].percent == 100
