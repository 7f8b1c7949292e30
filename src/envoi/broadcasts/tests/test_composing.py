"""The messages that leave: their bytes, their headers, and that they stay what they were when sending began."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast
from unittest.mock import patch

import pytest

from envoi.broadcasts.actions.send import send
from envoi.broadcasts.composer import BroadcastComposer
from envoi.broadcasts.models import Broadcast
from envoi.broadcasts.origin import BroadcastOrigin
from envoi.broadcasts.tests.factories import make_draft, make_layout, people
from envoi.contacts.models import Contact
from envoi.core import clock
from envoi.delivery import return_path
from envoi.delivery.composers import Leased, Message, RenderProblem
from envoi.delivery.models import Delivery, Mailing, Purpose, SenderIdentity
from envoi.delivery.tests.factories import make_contact, make_list
from envoi.tracking import links
from envoi.tracking.models import TrackedLink

pytestmark = pytest.mark.django_db


def leased(mailing: Mailing) -> list[Leased]:
    rows = mailing.deliveries.select_related("mailing").filter(state="pending").order_by("id")
    moment = clock.now()
    return [Leased(row.pk, row.key, row.address, row.address_key, row.contact_id, 0, moment) for row in rows]


def composed(mailing: Mailing) -> list[Message | RenderProblem]:
    batch, compose = leased(mailing), BroadcastComposer().open(mailing)
    return [compose.write(row, loaded) for row, loaded in zip(batch, compose.load(batch), strict=True)]


def written(mailing: Mailing) -> list[Message]:
    found = composed(mailing)
    assert all(isinstance(one, Message) for one in found)
    return cast("list[Message]", found)


def read(message: Message) -> EmailMessage:
    return message_from_bytes(message.data, policy=policy.default)


def html_of(message: Message) -> str:
    part = read(message).get_body(("html",))
    assert part is not None
    return str(part.get_content())


def started(**content: Any) -> tuple[Broadcast, Mailing]:
    broadcast = make_draft(**content)
    mailing = send(broadcast, actor=None)
    broadcast.refresh_from_db()
    return broadcast, mailing


def test_the_headers_are_those_of_good_bulk_mail() -> None:
    _broadcast, mailing = started()
    (row,) = Delivery.objects.all()
    (message,) = written(mailing)
    parsed = read(message)
    assert parsed["From"] == "Envoi <news@example.org>"
    assert parsed["To"] == "Ada <ada@example.net>"
    assert parsed["Subject"] == "News for Ada"
    assert parsed["Message-ID"] == row.message_id
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert parsed["List-Unsubscribe"] == (
        f"<{links.unsubscribe_url(row.pk)}>, <mailto:news@example.org?subject=unsubscribe>"
    )
    assert parsed["List-Id"] == "Readers <readers.example.org>"
    assert parsed["Feedback-ID"] == f"{mailing.key}:readers:broadcast:envoi"
    assert parsed["Precedence"] == "bulk"
    assert return_path.read(message.return_path) == row.pk
    names = [name.lower() for name in parsed.keys()]  # noqa: SIM118 - a message's iteration is over its keys twice
    assert len(names) == len(set(names))


def test_no_line_is_too_long_and_every_line_ends_in_crlf() -> None:
    _broadcast, mailing = started(subject="Å" * 200 + " {{ contact.first_name }}", body="<p>" + "word " * 2000 + "</p>")
    (message,) = written(mailing)
    lines = message.data.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert read(message)["Subject"] == "Å" * 200 + " Ada"


def test_the_same_row_gives_the_same_message_on_every_attempt() -> None:
    _broadcast, mailing = started()
    moment = clock.now()
    with patch.object(clock, "now", return_value=moment):
        assert composed(mailing) == composed(mailing)


def test_links_and_pixel_name_the_recipient_and_the_web_view_leads_there() -> None:
    _broadcast, mailing = started(body='<p><a href="https://example.org/a?n={{ contact.first_name }}">A</a></p>')
    (link,) = TrackedLink.objects.all()
    (row,) = Delivery.objects.all()
    html = html_of(written(mailing)[0])
    assert links.click_url(row.pk, link.pk) in html
    assert links.open_url(row.pk) in html
    assert BroadcastOrigin().link_target(row, link.url) == "https://example.org/a?n=Ada"


def test_what_is_not_to_be_counted_is_not_in_the_message() -> None:
    _broadcast, mailing = started(track_opens=False, track_clicks=False)
    html = html_of(written(mailing)[0])
    assert "https://example.org/news" in html
    assert "/o/" not in html
    assert not TrackedLink.objects.exists()


def test_a_transactional_message_is_no_bulk_mail() -> None:
    _broadcast, mailing = started(purpose=Purpose.TRANSACTIONAL)
    parsed = read(written(mailing)[0])
    assert (parsed["List-Unsubscribe"], parsed["Precedence"], parsed["List-Id"]) == (None, None, None)


def test_a_hundred_people_cost_the_queries_of_one(django_assert_num_queries: Any) -> None:
    mailing = send(make_draft(make_list("Crowd", *people(100))), actor=None)
    batch = leased(mailing)
    with django_assert_num_queries(2):
        compose = BroadcastComposer().open(mailing)
    with django_assert_num_queries(1):
        assert len(compose.load(batch)) == 100


def test_whatever_is_edited_later_the_last_reader_gets_what_the_first_got() -> None:
    layout = make_layout("Festive", "<html><head></head><body><h1>As it was</h1>{{ content }}</body></html>")
    broadcast, mailing = started(layout=layout)
    before = written(mailing)[0]
    layout.html = "<html><head></head><body><h1>Other</h1>{{ content }}</body></html>"
    layout.save()
    Broadcast.objects.update(subject="Other", body="<p>Other</p>", track_opens=False)
    SenderIdentity.objects.update(from_name="Mallory", from_address="mallory@example.com")
    after = written(mailing)[0]
    assert read(after)["From"] == "Envoi <news@example.org>"
    assert read(after)["Subject"] == "News for Ada"
    assert html_of(after) == html_of(before)
    assert "As it was" in BroadcastOrigin().web_view(Delivery.objects.get()).html
    assert broadcast.frozen.source["layout_html"].count("As it was") == 1


def test_a_contact_who_is_gone_still_gets_a_message_with_the_default() -> None:
    _broadcast, mailing = started()
    Contact.objects.all().delete()
    (message,) = written(mailing)
    assert "Dear friend," in html_of(message)
    assert read(message)["To"] == "ada@example.net"


NAUGHTY = [
    "\r\nBcc: eve@example.com",
    "<script>alert(1)</script>",
    "{{ 7 | times: 7 }}",
    "\x00",
    "=?utf-8?q?x?=",
    "\u202e",
]


@pytest.mark.parametrize("name", NAUGHTY)
def test_what_a_contact_is_called_is_data_in_every_header_and_part(name: str) -> None:
    # PostgreSQL itself refuses NUL; such a name cannot get that far there.
    ada = make_contact("ada@example.net", first_name=name.replace("\x00", "\x01"))
    mailing = send(make_draft(make_list("Readers", ada)), actor=None)
    (message,) = written(mailing)
    parsed = read(message)
    assert parsed["Bcc"] is None
    assert "<script>" not in html_of(message)
    assert "49" not in parsed["Subject"]
    assert [part.get_content_type() for part in parsed.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_an_address_that_cannot_stand_in_a_header_is_skipped_with_the_reason() -> None:
    _broadcast, mailing = started()
    Delivery.objects.update(address="ada@example.net>\r\nBcc: eve@example.com")
    (found,) = composed(mailing)
    assert isinstance(found, RenderProblem)
    assert found.detail


def test_who_leaves_leaves_the_lists_it_was_sent_to_and_no_other() -> None:
    readers, others = make_list("Readers", make_contact("ada@example.net")), make_list("Others")
    mailing = send(make_draft(readers, exclude=(others,)), actor=None)
    assert list(BroadcastOrigin().lists(mailing)) == [readers.pk]
