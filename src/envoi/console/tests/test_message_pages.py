"""The pages of messages for dashboards: who may do what, what a page costs, what stands in it."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from envoi.accounts.models import Role
from envoi.broadcasts.actions import show
from envoi.broadcasts.models import Broadcast
from envoi.broadcasts.tests.factories import make_draft, make_user, people
from envoi.broadcasts.tests.test_notices import make_both, make_message
from envoi.contacts.models import Contact
from envoi.delivery.tests.factories import make_contact, make_identity, make_list
from envoi.notices import actions as notices
from envoi.notices.models import Notice, Reading
from envoi.notices.tests.factories import subjects

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(make_user(Role.EDITOR))
    return client


@pytest.fixture
def ada() -> Contact:
    return make_contact("ada@example.net", first_name="Ada", last_name="Lovelace")


def url(name: str, broadcast: Broadcast, **more: int) -> str:
    return reverse(f"broadcasts:{name}", kwargs={"pk": broadcast.pk, **more})


def shown(*include: Any, **plan: Any) -> Broadcast:
    made = make_message(*include, plan=plan)
    show.show(made, actor=None)
    made.refresh_from_db()
    return made


TYPED = {
    "level": "error", "subject": "Outage", "body": "<p>We are on it.<script>x</script></p>", "link_label": "",
    "link_url": "", "ends_at": "2099-01-01T10:00", "starts_at": "", "dismissible": "on", "email": "none",
    "email_after_hours": "24", "preheader": "", "layout": "", "identity": "", "purpose": "informational",
}  # fmt: skip


def test_four_steps_lead_from_nothing_to_a_dashboard(editor: Client, ada: Contact) -> None:
    first = editor.post(reverse("broadcasts:new"), {"channel": "notice"})
    made = Broadcast.objects.get()
    assert first["Location"] == url("targets", made)
    second = editor.post(url("targets", made), {"contacts": [f"contact-{ada.pk}"]})
    assert second["Location"] == url("content", made)
    third = editor.post(url("content", made), TYPED)
    assert third["Location"] == url("review", made)
    page = editor.get(url("review", made)).content.decode()
    assert "Show this message to 1 person?" in page
    assert "Send test" not in page
    fourth = editor.post(url("send", made), {"confirmed": "1"})
    assert fourth["Location"] == url("show", made)
    assert subjects(ada) == ["Outage"]
    notice = Notice.objects.get()
    assert (notice.level, notice.body, str(notice.ends_at)) == (
        "error", "<p>We are on it.</p>", "2099-01-01 10:00:00+00:00",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"subject": ""}, "Write a subject."),
        ({"body": "<p></p>"}, "Write the content."),
        ({"body": "<p>Dear {{ contact.first_name }}</p>"}, "take the merge tag out"),
        ({"link_label": "Read"}, "A button needs a text and an address."),
        ({"link_label": "Read", "link_url": "javascript:alert(1)"}, "Write the whole address"),
        ({"ends_at": "2001-01-01T10:00"}, "The end lies in the past."),
        ({"ends_at": "yesterday"}, "Enter a valid date/time."),
        ({"ends_at": "9999-12-31T23:59"}, "Choose a year from 2000 to 2200."),
        ({"starts_at": "0001-01-01T00:00"}, "Choose a year from 2000 to 2200."),
        ({"level": "pink"}, "Select a valid choice."),
        ({"email": "unseen"}, "Choose whom the message comes from."),
        ({"email_after_hours": "0"}, "greater than or equal to 1"),
    ],
)
def test_faults_are_shown_at_their_field(typed: dict[str, str], said: str, editor: Client, ada: Contact) -> None:
    made = make_message(ada)
    answer = editor.post(url("content", made), TYPED | typed)
    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_the_review_of_both_channels_counts_both(editor: Client, ada: Contact) -> None:
    made = make_both(make_list("Everybody", ada, make_contact("bob@example.net")))
    page = editor.get(url("review", made)).content.decode()
    assert "2 people see it" in page
    assert "2 of them can get the e-mail." in page
    assert "Send test" in page
    assert "List-Unsubscribe" in editor.get(url("preview", made), {"as": "email", "view": "raw"}).content.decode()


def test_the_preview_is_shut_off_and_shows_all_four_looks(editor: Client, ada: Contact) -> None:
    made = make_message(ada, plan={"level": "success"})
    answer = editor.get(url("notice-document", made))
    assert answer["Content-Security-Policy"].startswith("sandbox allow-popups")
    page = answer.content.decode()
    assert [page.count(f'class="notice {level}"') for level in ("info", "success", "warning", "error")] == [1] * 4
    assert page.index('class="notice success"') < page.index('class="notice info"')
    assert editor.get(url("notice-document", make_draft(ada))).status_code == 404


def test_a_draft_with_a_dangerous_button_is_shown_without_it(editor: Client, ada: Contact) -> None:
    made = make_message(ada, plan={"link_label": "Read", "link_url": "javascript:alert(1)"})
    assert "javascript" not in editor.get(url("notice-document", made)).content.decode()


def test_its_page_counts_and_lists_what_people_did(editor: Client, ada: Contact) -> None:
    bob = make_contact("bob@example.net", first_name="=cmd")
    made = shown(make_list("Everybody", ada, bob))
    key = Notice.objects.get().key
    notices.click(key, ada.pk)
    notices.dismiss(key, bob.pk)
    cards = editor.get(url("notice-numbers", made)).context["cards"]
    assert {card.label: card.number for card in cards} == {"Seen": 2, "Clicked": 1, "Dismissed": 1}
    assert [row.contact for row in editor.get(url("readers", made), {"did": "clicked"}).context["page"].rows] == [ada]
    assert [row.contact for row in editor.get(url("readers", made), {"q": "lovelace"}).context["page"].rows] == [ada]
    answer = editor.get(url("readers-export", made))
    assert isinstance(answer, StreamingHttpResponse)
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode().lstrip("\ufeff"))))
    assert [(row[0], row[1], row[6]) for row in rows[1:]] == [
        ("ada@example.net", "Ada Lovelace", "1"),
        ("bob@example.net", "'=cmd", "0"),
    ]


def test_a_dismissal_is_undone_by_the_operator(editor: Client, ada: Contact) -> None:
    made = shown(ada)
    notices.dismiss(Notice.objects.get().key, ada.pk)
    editor.post(url("reader-undo", made, reading=Reading.objects.get().pk))
    assert subjects(ada) == ["Maintenance tonight"]
    other = shown(ada)
    assert editor.post(url("reader-undo", other, reading=Reading.objects.get().pk)).status_code == 404


def test_it_is_edited_ended_and_withdrawn(editor: Client, ada: Contact) -> None:
    made = shown(ada)
    changed = editor.post(url("notice-change", made), TYPED | {"subject": "Later"})
    assert (changed["Location"], subjects(ada)) == (url("show", made), ["Later"])
    refused = editor.post(url("notice-change", made), TYPED | {"subject": ""})
    assert (refused.status_code, subjects(ada)) == (422, ["Later"])
    emptied = editor.post(url("notice-change", made), TYPED | {"body": "<p></p>"})
    assert "Write the content." in emptied.content.decode()
    tagged = editor.post(url("notice-change", made), TYPED | {"subject": "Dear {{ contact.first_name }}"})
    assert "take the merge tag out" in tagged.content.decode()
    assert (tagged.status_code, subjects(ada)) == (422, ["Later"])
    editor.post(url("notice-end", made))
    assert subjects(ada) == []
    again = editor.post(url("notice-end", made), follow=True).content.decode()
    assert "This notice has ended already." in again
    editor.post(url("notice-withdraw", made))
    made.refresh_from_db()
    assert made.status == "withdrawn"
    assert "This notice was withdrawn." in editor.post(url("notice-change", made), TYPED).content.decode()


def test_a_message_that_has_not_appeared_is_put_off_with_its_email(editor: Client, ada: Contact) -> None:
    made = make_both(ada, starts_at=datetime(2098, 12, 1, tzinfo=UTC), hours=2)
    show.show(made, actor=None)
    assert subjects(ada) == []
    form = editor.get(url("notice-change", made))
    assert "The e-mail that follows keeps the words" in form.content.decode()
    editor.post(url("notice-change", made), TYPED | {"starts_at": "2098-12-24T10:00"})
    made = Broadcast.objects.get()
    assert made.notice is not None
    assert str(made.notice.starts_at) == "2098-12-24 10:00:00+00:00"
    assert str(made.plan.email_due_at) == "2098-12-24 12:00:00+00:00"
    editor.post(url("notice-change", made), TYPED)
    assert subjects(ada) == ["Outage"]


def test_the_page_is_drawn_anew_when_it_ends(editor: Client, ada: Contact) -> None:
    made = shown(ada)
    assert "HX-Refresh" not in editor.get(url("notice-numbers", made), {"was": "showing"})
    show.end_early(made, actor=None)
    assert editor.get(url("notice-numbers", made), {"was": "showing"})["HX-Refresh"] == "true"


def test_who_may_only_look_changes_nothing(client: Client, ada: Contact) -> None:
    made = shown(ada)
    client.force_login(make_user(Role.VIEWER))
    page = client.get(url("show", made)).content.decode()
    assert [word in page for word in ("Withdraw", "End now", "Duplicate")] == [False] * 3
    for name in ("notice-end", "notice-withdraw", "notice-change"):
        assert client.post(url(name, made)).status_code == 403
    assert subjects(ada) == ["Maintenance tonight"]


def test_the_page_of_both_shows_the_email_and_who_is_left_out(editor: Client, ada: Contact) -> None:
    made = make_both(make_list("Everybody", ada, make_contact("bob@example.net")), email="all")
    show.show(made, actor=None)
    page = editor.get(url("show", made)).content.decode()
    assert "By e-mail" in page
    assert "0 of 2" in page
    editor.post(url("pause", made))
    assert "Paused" in editor.get(url("show", made)).content.decode()
    made.refresh_from_db()
    assert (made.status, made.mailing and made.mailing.state) == ("showing", "paused")


def test_pages_of_an_email_broadcast_have_no_readers(editor: Client) -> None:
    made = make_draft()
    for name in ("readers", "notice-numbers", "notice-change", "readers-export"):
        assert editor.get(url(name, made)).status_code == 404


def test_the_list_shows_both_kinds_in_few_statements(
    editor: Client, ada: Contact, django_assert_max_num_queries: Any
) -> None:
    identity = make_identity()
    make_draft(ada, subject="An e-mail", identity=identity)
    for number in range(12):
        made = shown(ada, level="info")
        assert made.notice is not None
        notices.see([made.notice.key], ada.pk)
        Broadcast.objects.filter(pk=made.pk).update(subject=f"Message {number}")
    with django_assert_max_num_queries(7):
        page = editor.get(reverse("broadcasts:list"))
    assert [row.seen.seen if row.seen else None for row in page.context["rows"]] == [1] * 12 + [None]
    only = editor.get(reverse("broadcasts:list"), {"type": "notice", "status": "showing"})
    assert len(only.context["rows"]) == 12


def test_pages_cost_the_same_whatever_the_number_of_readers(editor: Client, django_assert_max_num_queries: Any) -> None:
    readers = people(60)
    made = shown(make_list("Everybody", *readers))
    key = Notice.objects.get().key
    for reader in readers:
        notices.see([key], reader.pk)
    with django_assert_max_num_queries(8):
        assert len(editor.get(url("readers", made)).context["page"].rows) == 50
    with django_assert_max_num_queries(8):
        editor.get(url("show", made))
    with django_assert_max_num_queries(5):
        editor.get(url("notice-numbers", made))
