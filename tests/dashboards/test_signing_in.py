"""Customers come to their own page by a link in a real e-mail, and decide for themselves there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from envoi.audiences.models import Membership, Subscription
from envoi.broadcasts.actions.send import send
from envoi.broadcasts.tests.factories import make_draft
from envoi.contacts.models import Contact, Suppression
from envoi.core import clock
from envoi.core.tasks.testing import run_due
from envoi.customers import tokens
from envoi.customers.actions import signing_in
from envoi.customers.models import SignIn
from envoi.delivery.models import Delivery, Transport
from envoi.delivery.sandbox.store import Mailbox
from envoi.delivery.tests.factories import make_contact, make_list, make_product, make_transport, suppress
from envoi.notices.models import Reading
from envoi.notices.tests.factories import make_notice
from tests.journeys.sandboxed import received, sandbox

pytestmark = pytest.mark.django_db
BASE = "http://localhost:8025"


@pytest.fixture
def box(tmp_path: Path, settings: Settings) -> Iterator[Mailbox]:
    settings.ENVOI_DATA = tmp_path
    with sandbox(tmp_path) as mailbox:
        yield mailbox


@pytest.fixture
def ada() -> Contact:
    return make_contact("ada@example.net", first_name="Ada", language="en")


@pytest.fixture
def inside(ada: Contact) -> Client:
    """Ada's browser, signed in."""
    client = Client()
    made = SignIn.objects.create(contact=ada, language="en")
    assert client.post(f"/my/enter/{tokens.make(made.pk, tokens.LINK)}/").status_code == 302
    return client


def ask(address: str, **headers: str) -> HttpResponse:
    answer = Client(headers=headers).post("/my/sign-in/", {"address": address})
    return HttpResponse(
        answer.content.replace(address.encode(), b"").split(b"csrfmiddlewaretoken")[0], status=answer.status_code
    )


def test_the_link_in_the_mail_brings_ada_in_once(ada: Contact, box: Mailbox) -> None:
    assert ask("ADA@example.net").status_code == 200
    run_due()
    (message,) = received(box).values()
    html = message.get_body(("html",))
    assert html is not None
    (link,) = re.findall(rf'href="{BASE}(/my/enter/[\w-]+/)"', html.get_content())
    assert (message["To"], message["Subject"]) == ("ada@example.net", "Your link to sign in")
    assert message["List-Unsubscribe"] is None
    text = message.get_body(("plain",))
    assert text is not None
    assert BASE + link in text.get_content().replace("=\n", "")
    browser = Client()
    assert browser.get(link).status_code == 200  # a program that looks at links uses none up
    assert browser.get("/my/")["Location"] == "/my/sign-in/"
    assert browser.post(link)["Location"] == "/my/"
    assert "Hello Ada" in browser.get("/my/").content.decode()
    assert Client().post(link).status_code == 410
    cookie = browser.cookies["envoi_my"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/my/")


def test_nobody_learns_who_is_known(ada: Contact, box: Mailbox) -> None:
    known, unknown = ask("ada@example.net"), ask("bob@example.net")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    run_due()
    assert list(received(box)) == ["ada@example.net"]
    assert SignIn.objects.count() == 1


def test_the_mail_speaks_the_language_of_the_page(ada: Contact, box: Mailbox) -> None:
    Client().post("/my/sign-in/?lang=sv", {"address": "ada@example.net"})
    run_due()
    (message,) = received(box).values()
    html = message.get_body(("html",))
    assert html is not None
    assert 'lang="sv"' in html.get_content()


def test_who_asks_again_and_again_gets_three_links(ada: Contact) -> None:
    made = [signing_in.send("ada@example.net", "en") for _ in range(5)]
    assert [one is not None for one in made] == [True, True, True, False, False]


def test_who_unsubscribed_from_everything_can_still_come_in(ada: Contact, box: Mailbox) -> None:
    suppress("ada@example.net", Suppression.Reason.UNSUBSCRIBED)
    ask("ada@example.net")
    run_due()
    assert list(received(box)) == ["ada@example.net"]


def test_a_link_that_is_too_old_is_neither_sent_nor_good(ada: Contact, box: Mailbox) -> None:
    make_transport("Main", kind=Transport.Kind.SANDBOX)
    made = signing_in.send("ada@example.net", "en")
    assert made is not None
    SignIn.objects.update(asked_at=clock.now() - timedelta(minutes=21))
    run_due()
    assert received(box) == {}
    assert Client().post(f"/my/enter/{tokens.make(made.pk, tokens.LINK)}/").status_code == 410


@pytest.mark.parametrize("typed", ["", "ada", "a@b@c", "\0"])
def test_what_is_no_address_is_told(typed: str) -> None:
    answer = Client().post("/my/sign-in/", {"address": typed})
    assert answer.status_code == 422
    assert "This is not an e-mail address." in answer.content.decode()


def test_a_cookie_or_link_that_was_made_up_opens_nothing(ada: Contact, inside: Client) -> None:
    visit = inside.cookies["envoi_my"].value
    for forged in ("", "x", visit[:-2] + "AA", tokens.make(1, tokens.LINK)):
        stranger = Client()
        stranger.cookies["envoi_my"] = forged
        assert stranger.get("/my/").status_code == 302
    assert Client().post(f"/my/enter/{visit}/").status_code == 410


def test_after_signing_out_the_cookie_is_worth_nothing(inside: Client) -> None:
    kept = inside.cookies["envoi_my"].value
    assert inside.post("/my/sign-out/").status_code == 302
    again = Client()
    again.cookies["envoi_my"] = kept
    assert again.get("/my/").status_code == 302


def test_changes_need_the_pages_own_form(inside: Client, ada: Contact) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = inside.cookies
    notice = make_notice(ada)
    for path in ("sign-out/", "preferences/", "preferences/all-mail/", f"notices/{notice.key}/dismissal/"):
        assert strict.post(f"/my/{path}").status_code == 403
    assert not Suppression.objects.exists()
    assert not Reading.objects.exists()


def test_notices_are_there_without_scripts_and_can_be_dismissed(inside: Client, ada: Contact) -> None:
    notice = make_notice(ada, subject="New prices & more")
    assert "New prices &amp; more" in inside.get("/my/").content.decode()
    assert inside.post(f"/my/notices/{notice.key}/dismissal/")["Location"] == "/my/"
    assert "New prices" not in inside.get("/my/").content.decode()
    assert "New prices &amp; more" in inside.get("/my/messages/").content.decode()


def test_without_scripts_the_rest_is_one_link_away(inside: Client, ada: Contact) -> None:
    for number in range(7):
        make_notice(ada, subject=f"Number {number}")
    page = inside.get("/my/").content.decode()
    assert [f"Number {number}" in page for number in range(7)] == [False, False, True, True, True, True, True]
    assert '<a href="?all=1">Show all</a>' in page
    everything = inside.get("/my/?all=1").content.decode()
    assert all(f"Number {number}" in everything for number in range(7))
    assert "Show all" not in everything


def test_the_page_shows_products_held_and_no_others(inside: Client, ada: Contact) -> None:
    make_product("Pro", ada)
    make_product("Old", ada, status=Membership.Status.CANCELLED)
    page = inside.get("/my/").content.decode()
    assert "Pro" in page
    assert "Old" not in page


def test_past_mails_lead_to_their_web_view(inside: Client, ada: Contact, box: Mailbox) -> None:
    way_out = make_transport("Sandbox", kind=Transport.Kind.SANDBOX)
    send(make_draft(make_list("News", ada), transport=way_out, subject="For {{ contact.first_name }}"), actor=None)
    run_due()
    assert Delivery.objects.get().state == Delivery.State.SENT
    page = inside.get("/my/messages/").content.decode()
    found = re.search(rf'href="{BASE}(/w/[\w-]+)" dir="auto">For Ada<', page)
    assert found is not None
    assert Client().get(found[1]).status_code == 200


def test_pages_cost_a_few_statements(
    inside: Client, ada: Contact, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(8):
        make_notice(ada, subject=f"Number {number}")
        make_list(f"List {number}", ada)
        make_product(f"Product {number}", ada)
    for page in ("", "messages/", "preferences/"):
        inside.get(f"/my/{page}")  # what a process keeps in memory is kept from now on
        with django_assert_max_num_queries(7):
            assert inside.get(f"/my/{page}").status_code == 200


def test_ada_leaves_one_list_and_comes_back_to_another(inside: Client, ada: Contact) -> None:
    news, tips = make_list("News", ada), make_list("Tips", ada, status=Subscription.Status.UNSUBSCRIBED)
    strangers = make_list("Strangers", make_contact("bob@example.net"))
    inside.post("/my/preferences/", {"list": [str(tips.pk), str(strangers.pk), "x"]})
    standing = dict(Subscription.objects.filter(contact=ada).values_list("list", "status"))
    assert standing == {news.pk: "unsubscribed", tips.pk: "confirmed"}
    assert not Subscription.objects.filter(list=strangers, contact=ada).exists()


def test_ada_stops_everything_and_takes_it_back(inside: Client, ada: Contact) -> None:
    inside.post("/my/preferences/all-mail/", {"choice": "stop"})
    assert Suppression.objects.get().reason == Suppression.Reason.UNSUBSCRIBED
    assert "Write to me again" in inside.get("/my/preferences/").content.decode()
    inside.post("/my/preferences/all-mail/", {"choice": "back"})
    assert not Suppression.objects.exists()


def test_an_address_that_bounced_is_not_freed_by_its_owner(inside: Client, ada: Contact) -> None:
    suppress("ada@example.net", Suppression.Reason.HARD_BOUNCE)
    inside.post("/my/preferences/all-mail/", {"choice": "back"})
    assert Suppression.objects.exists()


def test_the_language_is_kept_and_the_page_speaks_it(inside: Client, ada: Contact) -> None:
    inside.post("/my/preferences/language/", {"language": "fr"})
    ada.refresh_from_db()
    assert ada.language == "fr"
    assert inside.get("/my/")["Content-Language"] == "fr"
    inside.post("/my/preferences/language/", {"language": "xx"})
    ada.refresh_from_db()
    assert ada.language == "fr"


def test_an_operator_of_the_console_is_a_stranger_here(inside: Client, django_user_model: type) -> None:
    operator = Client()
    operator.force_login(
        django_user_model.objects.create_user("olga@example.org", "correct horse battery", must_change_password=True)  # type: ignore[attr-defined]
    )
    assert operator.get("/my/")["Location"] == "/my/sign-in/"
