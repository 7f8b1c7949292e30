"""The pages of broadcasts: who may do what, what a page costs, what stands in it."""

from __future__ import annotations

import csv
import io
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from envoi.accounts.models import Role
from envoi.audiences.queries import Targets, targets_of
from envoi.broadcasts.actions.send import send
from envoi.broadcasts.models import Broadcast
from envoi.broadcasts.tests.factories import make_draft, make_user, people
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.tests.factories import (
    make_contact,
    make_identity,
    make_list,
    make_product,
    make_transport,
    suppress,
)

QUERIES = ("", "?q=BO", "?state=pending", "?reason=suppressed", "?activity=opened", "?cursor=nonsense")
pytestmark = pytest.mark.django_db

# A cursor of the right form with a word where the log has a number.
FORGED = "?cursor=" + urlsafe_b64encode(b'["n", "abc"]').decode().rstrip("=")


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(make_user(Role.EDITOR))
    return client


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(make_user(Role.VIEWER))
    return client


def url(name: str, broadcast: Broadcast | None = None) -> str:
    return reverse(f"broadcasts:{name}", kwargs={"pk": broadcast.pk} if broadcast else None)


def started(*addresses: str) -> Broadcast:
    readers = make_list("Started", *(make_contact(address) for address in addresses))
    broadcast = make_draft(readers)
    send(broadcast, actor=None)
    broadcast.refresh_from_db()
    return broadcast


def everything(answer: Any) -> str:
    if isinstance(answer, StreamingHttpResponse):
        return answer.getvalue().decode()
    return answer.content.decode()  # type: ignore[no-any-return]


class TestTheWizard:
    def test_four_steps_lead_from_nothing_to_sent(self, editor: Client) -> None:
        identity = make_identity()
        identity.is_default = True
        identity.save()
        ada, plan = make_contact("ada@example.net", first_name="Ada"), make_product("Pro", *people(2))
        first = editor.post(url("new"), {"channel": "email"})
        broadcast = Broadcast.objects.get()
        assert (first.status_code, first["Location"]) == (302, url("targets", broadcast))
        second = editor.post(
            url("targets", broadcast), {"contacts": [f"contact-{ada.pk}"], "products": [f"product-{plan.pk}"]}
        )
        assert second["Location"] == url("content", broadcast)
        typed = {
            "subject": "News", "preheader": "In short", "body_type": "rich_text", "body": "<p>Hello</p>",
            "text_body": "", "layout": "", "identity": identity.pk, "purpose": "marketing", "track_opens": "on",
        }  # fmt: skip
        third = editor.post(url("content", broadcast), typed)
        assert third["Location"] == url("review", broadcast)
        page = editor.get(url("review", broadcast)).content.decode()
        assert "3 people will get it" in page
        assert "Send this broadcast to 3 people now?" in page
        fourth = editor.post(url("send", broadcast), {"confirmed": "3"})
        assert fourth["Location"] == url("show", broadcast)
        assert Delivery.objects.filter(state="pending").count() == 3

    def test_choosing_targets_is_kept_at_once_and_counted(self, editor: Client) -> None:
        broadcast = make_draft(make_list("Other"))
        suppress("reader0@example.net")
        readers = make_list("Readers", *people(3))
        answer = editor.post(url("count", broadcast), {"lists": [f"list-{readers.pk}"]}).content.decode()
        assert "2 people will get it" in answer
        assert "Suppressed address: 1" in answer
        assert targets_of(broadcast.audience) == Targets(lists=(readers.pk,))

    def test_faults_are_shown_at_their_field_and_what_was_typed_is_kept(self, editor: Client) -> None:
        broadcast = make_draft()
        typed = {
            "subject": "For {{ contact.frist_name }}", "body_type": "html", "body": "<p>Kept</p>",
            "identity": broadcast.identity_id, "purpose": "marketing",
        }  # fmt: skip
        answer = editor.post(url("content", broadcast), typed)
        assert answer.status_code == 422
        form = answer.context["form"]
        assert list(form.errors) == ["subject"]
        assert "contact.first_name" in form.errors["subject"][0]
        broadcast.refresh_from_db()
        assert (broadcast.subject, broadcast.body) == ("For {{ contact.frist_name }}", "<p>Kept</p>")

    def test_changing_the_editor_loses_nothing_and_saves_nothing(self, editor: Client) -> None:
        broadcast = make_draft()
        answer = editor.post(
            url("content", broadcast), {"editor": "1", "body_type": "rich_text", "body": "<p>Typed</p>"}
        ).content.decode()
        assert "data-rich-text" in answer
        assert "Typed" in answer
        broadcast.refresh_from_db()
        assert broadcast.body_type == "html"

    def test_keeping_a_draft_leads_back_to_the_list(self, editor: Client) -> None:
        broadcast = make_draft()
        answer = editor.post(url("targets", broadcast), {"next": "later"})
        assert answer["Location"] == url("list")
        assert Broadcast.objects.get().status == "draft"

    def test_a_draft_is_opened_where_it_was_left(self, editor: Client) -> None:
        assert editor.get(url("show", make_draft()))["Location"].endswith("/review/")
        assert editor.get(url("show", make_draft(make_list("B", *people(1)), body="")))["Location"].endswith(
            "/content/"
        )

    def test_in_a_dialog_a_step_comes_without_the_frame(self, editor: Client) -> None:
        assert "data-modal-frame" in editor.get(url("new"), headers={"x-modal": "1"}).content.decode()
        assert "data-modal-frame" not in editor.get(url("new")).content.decode()

    @pytest.mark.parametrize("step", ["targets", "content", "review"])
    def test_a_started_broadcast_has_no_wizard(self, editor: Client, step: str) -> None:
        broadcast = started("ada@example.net")
        assert editor.get(url(step, broadcast))["Location"] == url("show", broadcast)

    def test_targets_chosen_too_late_change_nothing(self, editor: Client) -> None:
        broadcast = started("ada@example.net")
        before = targets_of(broadcast.audience)
        for step in ("count", "targets"):
            assert editor.post(url(step, broadcast), {"lists": []})["Location"] == url("show", broadcast)
        assert targets_of(broadcast.audience) == before

    def test_sending_more_than_confirmed_sends_nothing_and_says_so(self, editor: Client) -> None:
        broadcast = make_draft(make_list("Readers", *people(5)))
        answer = editor.post(url("send", broadcast), {"confirmed": "2"}, follow=True)
        assert "Meanwhile 5 people would get it instead of 2" in answer.content.decode()
        assert not Mailing.objects.exists()

    def test_targets_are_found_by_typing(self, editor: Client) -> None:
        make_contact("chloe@example.net", first_name="Chloé")
        found = editor.get(url("target-choices"), {"kind": "contact", "q": "Chlo"}).json()["results"]
        assert [one["text"] for one in found] == ["Chloé"]
        assert editor.get(url("target-choices"), {"kind": "nonsense", "q": "Chlo"}).json() == {"results": []}


class TestThePreview:
    def test_it_is_the_message_of_the_chosen_reader(self, editor: Client) -> None:
        broadcast = make_draft()
        dmitri = make_contact("dmitri@example.net", first_name="<b>Dmitri</b>")
        query = {"reader": f"contact-{dmitri.pk}"}
        page = editor.get(url("preview", broadcast), query).content.decode()
        assert "News for &lt;b&gt;Dmitri&lt;/b&gt;" in page
        document = editor.get(url("preview-document", broadcast), query)
        assert "Dear &lt;b&gt;Dmitri&lt;/b&gt;," in document.content.decode()
        assert document["Content-Security-Policy"].startswith("sandbox")

    def test_raw_shows_the_headers_on_the_wire(self, editor: Client) -> None:
        page = editor.get(url("preview", make_draft()), {"view": "raw"}).content.decode()
        assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in page

    def test_faulty_content_is_explained_instead(self, editor: Client) -> None:
        broadcast = make_draft(body="<p>{% if %}</p>")
        assert "alert-danger" in editor.get(url("preview", broadcast)).content.decode()
        assert editor.get(url("preview-document", broadcast)).status_code == 200

    def test_looking_counts_nothing(self, viewer: Client) -> None:
        broadcast = started("ada@example.net")
        document = viewer.get(url("preview-document", broadcast)).content.decode()
        assert "/o/" not in document
        assert "/c/" not in document


class TestRoles:
    def test_a_viewer_sees_but_does_not_touch(self, viewer: Client) -> None:
        sent, open_draft = started("ada@example.net"), make_draft(make_list("B", *people(1)))
        for page in (url("list"), url("show", sent), url("log", sent), url("preview", open_draft)):
            assert viewer.get(page).status_code == 200, page
        assert viewer.get(url("show", open_draft))["Location"] == url("preview", open_draft)
        for page in (url("new"), url("targets", open_draft), url("review", open_draft), url("log-export", sent)):
            assert viewer.get(page).status_code == 403, page
        for button in ("send", "delete", "duplicate", "test", "count"):
            assert viewer.post(url(button, open_draft)).status_code == 403, button
        for button in ("pause", "resume", "cancel"):
            assert viewer.post(url(button, sent)).status_code == 403, button
        open_draft.refresh_from_db()
        sent.refresh_from_db()
        assert (open_draft.status, sent.status) == ("draft", "sending")

    @pytest.mark.parametrize("button", ["send", "pause", "resume", "cancel", "duplicate", "delete", "test", "count"])
    def test_no_button_works_by_get(self, editor: Client, button: str) -> None:
        assert editor.get(url(button, make_draft())).status_code == 405


class TestThePage:
    def test_pause_resume_and_cancel(self, editor: Client) -> None:
        broadcast = started("ada@example.net", "bob@example.net")
        for button, status in (("pause", "paused"), ("resume", "sending"), ("cancel", "cancelled")):
            editor.post(url(button, broadcast))
            broadcast.refresh_from_db()
            assert broadcast.status == status
        answer = editor.post(url("cancel", broadcast), follow=True).content.decode()
        assert "not under way any more" in answer

    def test_the_progress_asks_again_only_while_it_goes_on(self, editor: Client) -> None:
        broadcast = started("ada@example.net")
        assert "hx-get" in editor.get(url("progress", broadcast)).content.decode()
        Broadcast.objects.update(status="finished")
        done = editor.get(url("progress", broadcast), {"was": "sending"})
        assert "hx-get" not in done.content.decode()
        assert done["HX-Refresh"] == "true"

    def test_the_numbers_move_with_the_progress_and_stand_still_afterwards(self, editor: Client) -> None:
        broadcast = started("ada@example.net")
        assert "hx-get" in editor.get(url("numbers", broadcast)).content.decode()
        Broadcast.objects.update(status="finished")
        assert "hx-get" not in editor.get(url("numbers", broadcast)).content.decode()

    def test_a_copy_is_a_draft_of_its_own(self, editor: Client) -> None:
        broadcast = started("ada@example.net")
        answer = editor.post(url("duplicate", broadcast))
        copy = Broadcast.objects.exclude(pk=broadcast.pk).get()
        assert answer["Location"] == url("content", copy)
        assert (copy.status, copy.subject) == ("draft", broadcast.subject)

    def test_a_deleted_draft_is_gone_and_a_started_one_stays(self, editor: Client) -> None:
        editor.post(url("delete", make_draft()))
        assert not Broadcast.objects.exists()
        broadcast = started("bob@example.net")
        editor.post(url("delete", broadcast))
        assert Broadcast.objects.get() == broadcast


class TestTheLog:
    def test_it_is_searched_and_filtered(self, editor: Client) -> None:
        suppress("bob@example.net")
        broadcast = started("ada@example.net", "bob@example.net")
        shown = {
            query: [
                name
                for name in ("ada", "bob")
                if f"{name}@example.net" in editor.get(url("log", broadcast) + query).content.decode()
            ]
            for query in (
                "",
                "?q=BO",
                "?state=pending",
                "?reason=suppressed",
                "?activity=opened",
                "?cursor=nonsense",
                FORGED,
            )
        }
        assert shown == {
            "": ["ada", "bob"], "?q=BO": ["bob"], "?state=pending": ["ada"], "?reason=suppressed": ["bob"],
            "?activity=opened": [], "?cursor=nonsense": ["ada", "bob"], FORGED: ["ada", "bob"],
        }  # fmt: skip

    def test_a_recipient_says_which_transport_carried_the_message(self, editor: Client) -> None:
        broadcast = started("ada@example.net", "bob@example.net", "chloe@example.net")
        night = make_transport("Night <shift>")
        Delivery.objects.filter(address="ada@example.net").update(transport=night, state="sent")
        Delivery.objects.filter(address="bob@example.net").update(transport=999_999, state="sent")
        page = editor.get(url("log", broadcast)).content.decode()
        rows = list(csv.reader(io.StringIO(everything(editor.get(url("log-export", broadcast))))))
        assert page.count("over Night &lt;shift&gt;") == 1
        assert [row[-1] for row in rows] == ["Transport", "Night <shift>", "", ""]

    def test_the_export_has_everybody_and_no_formula(self, editor: Client) -> None:
        Delivery.objects.filter(mailing=started("ada@example.net", "bob@example.net").mailing).update(
            detail='=HYPERLINK("http://evil.example")'
        )
        answer = editor.get(url("log-export", Broadcast.objects.get()))
        rows = list(csv.reader(io.StringIO(everything(answer).removeprefix("\ufeff"))))
        assert [row[0] for row in rows] == ["Address", "ada@example.net", "bob@example.net"]
        assert {row[4] for row in rows[1:]} == {'\'=HYPERLINK("http://evil.example")'}


class TestWhatPagesCost:
    """The number of statements does not grow with the number of rows."""

    def test_the_list(self, editor: Client, django_assert_max_num_queries: Any) -> None:
        for number in range(30):
            make_draft(make_list(f"List {number}", make_contact(f"reader{number}@example.net")), subject=f"No {number}")
        for broadcast in Broadcast.objects.all()[:15]:
            send(broadcast, actor=None)
        with django_assert_max_num_queries(6):
            page = editor.get(url("list"))
        assert len(page.context["rows"]) == 25

    def test_the_log(self, editor: Client, django_assert_max_num_queries: Any) -> None:
        broadcast = started(*(f"reader{number}@example.net" for number in range(70)))
        Delivery.objects.update(transport=make_transport())
        with django_assert_max_num_queries(9):
            page = editor.get(url("log", broadcast))
        assert len(page.context["rows"]) == 50

    def test_the_page(self, editor: Client, django_assert_max_num_queries: Any) -> None:
        broadcast = started(*(f"reader{number}@example.net" for number in range(70)))
        with django_assert_max_num_queries(16):
            editor.get(url("show", broadcast))
        with django_assert_max_num_queries(9):
            editor.get(url("progress", broadcast))
