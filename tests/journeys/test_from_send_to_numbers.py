"""One broadcast from “send” to the numbers, without a browser: real SMTP, real mailbox, real public addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from envoi.broadcasts.actions.send import send
from envoi.broadcasts.actions.try_out import send_test
from envoi.broadcasts.models import Broadcast
from envoi.broadcasts.tests.factories import BODY, make_draft, people
from envoi.contacts.models import Kind, Suppression
from envoi.core.tasks.testing import run_due
from envoi.delivery.models import Delivery, Mailing, Transport
from envoi.delivery.queries import progress
from envoi.delivery.sandbox.store import Mailbox
from envoi.delivery.tests.factories import make_contact, make_list, make_transport, suppress
from envoi.reports import queries as reports
from envoi.tracking import targets
from envoi.tracking.actions.flush import flush_spool
from envoi.tracking.models import Activity
from tests.journeys.sandboxed import received, sandbox

pytestmark = pytest.mark.django_db

READER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.fixture
def box(tmp_path: Path, settings: Settings) -> Iterator[Mailbox]:
    settings.ENVOI_DATA = tmp_path
    targets.registered.cache_clear()
    with sandbox(tmp_path) as mailbox:
        yield mailbox


@pytest.fixture
def way_out() -> Transport:
    return make_transport("Sandbox", kind=Transport.Kind.SANDBOX)


def the_broadcast(way_out: Transport) -> Broadcast:
    """20 people, of whom one is suppressed, one has the address of another, and one does not exist."""
    readers = people(17)
    suppressed, again = make_contact("dmitri@example.net"), make_contact("reader0@example.net", kind=Kind.LEAD)
    suppress("dmitri@example.net")
    gone = make_contact("chloe+bounce@example.net")
    body = f'{BODY}<p><a href="{{{{ webview_url }}}}">In your browser</a></p>'
    return make_draft(make_list("Readers", *readers, suppressed, again, gone), transport=way_out, body=body)


def path_in(message: EmailMessage, letter: str) -> str:
    html = message.get_body(("html",))
    found = re.search(rf"http://localhost:8025(/{letter}/[\w./-]+)", html.get_content() if html else "")
    assert found is not None
    return found[1]


def test_twenty_people_and_every_number_is_right(box: Mailbox, way_out: Transport, client: Client) -> None:
    broadcast = the_broadcast(way_out)
    mailing = send(broadcast, actor=None, confirmed=18)
    run_due()
    now = progress(mailing)
    assert (now.total, now.sent, now.failed, now.left, now.skipped) == (
        20, 17, 1, 0, {"suppressed": 1, "duplicate_address": 1},
    )  # fmt: skip
    broadcast.refresh_from_db()
    assert broadcast.status == "finished"
    messages = received(box)
    assert sorted(messages) == sorted(f"reader{number}@example.net" for number in range(17))
    bounced = Delivery.objects.get(mailing=mailing, state="failed")
    assert (bounced.address, bounced.reply_code, bounced.reply_status) == ("chloe+bounce@example.net", 550, "5.1.1")

    one, other = messages["reader1@example.net"], messages["reader2@example.net"]
    assert client.get(path_in(one, "o"), headers={"user-agent": READER}).status_code == 200
    followed = client.get(path_in(one, "c"), headers={"user-agent": READER})
    assert (followed.status_code, followed["Location"]) == (302, "https://example.org/news")
    assert "Dear Reader 1," in client.get(path_in(one, "w")).content.decode()
    leave = re.findall(r"<(http[^>]+)>", other["List-Unsubscribe"])[0].removeprefix("http://localhost:8025")
    answer = Client(enforce_csrf_checks=True).post(
        leave, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200
    flush_spool()

    did = reports.readers(mailing)
    assert (did.opened + did.opened_by_machines, did.clicked + did.clicked_by_machines, did.unsubscribed) == (1, 1, 1)
    assert Suppression.objects.filter(address_key="reader2@example.net", reason="unsubscribed").count() == 1
    assert reports.headlines([mailing.pk])[mailing.pk].sent == 17
    assert Activity.objects.count() == 3
    assert run_due() == 0
    assert Mailing.objects.count() == 1


def test_who_left_is_skipped_by_the_next_broadcast(box: Mailbox, way_out: Transport, client: Client) -> None:
    readers = make_list("Readers", *people(2))
    send(make_draft(readers, transport=way_out), actor=None)
    run_due()
    leave = re.findall(r"<(http[^>]+)>", received(box)["reader1@example.net"]["List-Unsubscribe"])[0]
    client.post(leave.removeprefix("http://localhost:8025"), {"List-Unsubscribe": "One-Click"})
    mailing = send(make_draft(readers, transport=way_out), actor=None)
    run_due()
    assert sorted(mailing.deliveries.values_list("address", "state", "skip_reason")) == [
        ("reader0@example.net", "sent", ""),
        ("reader1@example.net", "skipped", "unsubscribed"),
    ]


def test_a_test_message_arrives_marked_and_counts_nowhere(box: Mailbox, way_out: Transport) -> None:
    broadcast = make_draft(transport=way_out)
    ada = make_contact("ada.byron@example.net", first_name="Ada")
    results = send_test(broadcast, ["bob@example.org", "gone+bounce@example.org"], ada, actor=None)
    assert [(one.address, one.accepted) for one in results] == [
        ("bob@example.org", True), ("gone+bounce@example.org", False),
    ]  # fmt: skip
    assert results[0].answer == "250 2.0.0 Kept in the sandbox mailbox"
    assert results[1].answer == "550 5.1.1 No such mailbox here"
    message = received(box)["bob@example.org"]
    assert message["Subject"] == "[Test] News for Ada"
    html = message.get_body(("html",))
    assert html is not None
    assert "https://example.org/news" in html.get_content()
    assert "/o/" not in html.get_content()
    assert not Delivery.objects.exists()
    assert not Mailing.objects.exists()
    broadcast.refresh_from_db()
    assert broadcast.status == "draft"
