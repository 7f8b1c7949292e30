"""Workers speak English, Åsa reads Swedish: a reason is said in the language of whoever reads it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape

from envoi.accounts.models import Role
from envoi.broadcasts.actions.send import send
from envoi.broadcasts.models import Broadcast
from envoi.broadcasts.tests.factories import make_draft, make_user
from envoi.core import wording
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.actions.standstill import pause_transport
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.relay import RelayNotReady
from envoi.delivery.tests.factories import make_contact, make_list

pytestmark = pytest.mark.django_db

BUDGET = "Paused by itself: %(failures)d of the last %(attempts)d recipients failed. See the answers in the log."
UNSURE = "The machine stopped while the message was about to leave; it may have arrived."
AWAY = "The sandbox mailbox is not running. Start Envoi with “envoi up”."


@pytest.fixture
def asa(client: Client) -> Iterator[Client]:
    user = make_user(Role.OWNER)
    user.language = "sv"
    user.save()
    client.force_login(user)
    # Her language stays on in this thread; the next test speaks English again.
    with translation.override("en"):
        yield client


@pytest.fixture
def broadcast() -> Broadcast:
    made = make_draft(make_list("Friends", make_contact("ada@example.org")))
    send(made, actor=None)
    made.refresh_from_db()
    return made


def swedish(text: str) -> str:
    with translation.override("sv"):
        return translation.gettext(text)


def page(asa: Client, name: str, pk: int | None = None) -> str:
    return asa.get(reverse(name, args=[pk] if pk else [])).content.decode()


def test_a_broadcast_that_a_worker_paused_says_why_in_swedish(asa: Client, broadcast: Broadcast) -> None:
    mailing = Mailing.objects.get()
    mailings.pause(mailing, actor=None, reason=mailings.stopped_by_failures(60, 100))
    wanted = swedish(BUDGET) % {"failures": 60, "attempts": 100}
    assert wanted != BUDGET % {"failures": 60, "attempts": 100}
    assert escape(wanted) in page(asa, "broadcasts:show", broadcast.pk)
    assert escape(wanted) in page(asa, "settings:audit")


def test_a_transport_that_a_worker_paused_says_why_in_swedish(asa: Client, broadcast: Broadcast) -> None:
    transport = Mailing.objects.get().identity.transport
    pause_transport(transport, reason=RelayNotReady(wording.gettext(AWAY)).kept, actor=None)
    for found in (
        page(asa, "settings:transport", transport.pk),
        page(asa, "settings:sending"),
        page(asa, "broadcasts:show", broadcast.pk),
    ):
        assert escape(swedish(AWAY)) in found
        assert AWAY not in found


def test_the_log_and_its_file_say_in_swedish_what_became_of_ada(asa: Client, broadcast: Broadcast) -> None:
    Delivery.objects.update(state=Delivery.State.UNKNOWN, detail=wording.gettext(UNSURE))
    assert escape(swedish(UNSURE)) in page(asa, "broadcasts:log", broadcast.pk)
    answer = asa.get(reverse("broadcasts:log-export", args=[broadcast.pk]))
    assert isinstance(answer, StreamingHttpResponse)
    (row,) = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))[1:]
    assert row[4] == swedish(UNSURE)


def test_what_the_server_said_and_older_reasons_stay_as_they_are(asa: Client, broadcast: Broadcast) -> None:
    Delivery.objects.update(detail="Given up after 4 days of trying.")
    pause_transport(Mailing.objects.get().identity.transport, reason="535 5.7.8 wrong password", actor=None)
    assert "Given up after 4 days of trying." in page(asa, "broadcasts:log", broadcast.pk)
    assert "535 5.7.8 wrong password" in page(asa, "broadcasts:show", broadcast.pk)
