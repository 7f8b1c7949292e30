from __future__ import annotations

import json

import pytest
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from envoi.audiences.models import List, Subscription
from envoi.contacts.models import Suppression
from envoi.delivery.models import Delivery, SenderIdentity
from envoi.instance.models import Setting
from envoi.public.unsubscribing import masked
from envoi.tracking import links
from envoi.tracking.models import Activity
from envoi.tracking.tests.factories import Author, make_sent, subscribe

pytestmark = pytest.mark.django_db

ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"
CONFIRMED, UNSUBSCRIBED = Subscription.Status.CONFIRMED, Subscription.Status.UNSUBSCRIBED


def state() -> tuple[list[str], list[str], list[str]]:
    """Suppressed addresses, statuses of subscriptions, what was recorded."""
    return (
        list(Suppression.objects.values_list("address_key", flat=True)),
        list(Subscription.objects.order_by("pk").values_list("status", flat=True)),
        list(Activity.objects.order_by("pk").values_list("type", flat=True)),
    )


@pytest.fixture
def ada(author: Author) -> Delivery:
    """Ada, on the list “News”, got a message of it."""
    delivery = make_sent(language="en")
    author.list_ids = [subscribe(delivery, "News").pk]
    return delivery


def page(client: Client, delivery: Delivery, **request: object) -> str:
    answer = client.get(links.unsubscribe_url(delivery.pk), **request)  # type: ignore[arg-type]
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=utf-8", "multipart/form-data; boundary=cut"])
def test_one_click_acts_at_once_and_asks_for_nothing(client: Client, ada: Delivery, content_type: str) -> None:
    body = ONE_CLICK
    if content_type.startswith("multipart"):
        body = '--cut\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--cut--\r\n'
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(links.unsubscribe_url(ada.pk), body, content_type=content_type)
    assert (answer.status_code, answer.content) == (200, b"Unsubscribed\n")
    assert not answer.cookies
    assert "Location" not in answer
    assert state() == (["ada@example.org"], [UNSUBSCRIBED], ["unsubscribe"])
    assert json.loads(Activity.objects.get().detail)["way"] == "one-click"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (f"{ONE_CLICK}\r\n", FORM),
        (ONE_CLICK, "text/plain"),
        (ONE_CLICK, "application/octet-stream"),
        (ONE_CLICK, "multipart/form-data"),
        (ONE_CLICK, "multipart/form-data; boundary=cut"),
        ("list-unsubscribe=one-click", FORM),
        (f"{ONE_CLICK}&{'x' * 100_000}", FORM),
    ],
)
def test_one_click_of_a_sloppy_program_is_still_what_the_reader_wants(
    client: Client, ada: Delivery, body: str, content_type: str
) -> None:
    answer = client.post(links.unsubscribe_url(ada.pk), body.encode(), content_type=content_type)
    assert (answer.status_code, answer.content) == (200, b"Unsubscribed\n")
    assert state() == (["ada@example.org"], [UNSUBSCRIBED], ["unsubscribe"])


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=cut", "text/plain"])
def test_an_unreadable_body_changes_nothing(client: Client, ada: Delivery, content_type: str) -> None:
    answer = client.post(links.unsubscribe_url(ada.pk), b"\x00garbage", content_type=content_type)
    assert answer.status_code == 400
    assert "Nothing was changed" in answer.content.decode()
    assert state() == ([], [CONFIRMED], [])


def test_one_click_repeated_is_answered_alike_and_changes_nothing_more(client: Client, ada: Delivery) -> None:
    answers = [client.post(links.unsubscribe_url(ada.pk), ONE_CLICK, content_type=FORM) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert state() == (["ada@example.org"], [UNSUBSCRIBED], ["unsubscribe"])


@pytest.mark.parametrize(
    "body", ["", "List-Unsubscribe=", "List-Unsubscribe=Other", "list=1", "choice=", "choice=all", "One-Click"]
)
def test_a_post_that_says_neither_one_click_nor_a_choice_changes_nothing(
    client: Client, ada: Delivery, body: str
) -> None:
    answer = client.post(links.unsubscribe_url(ada.pk), body, content_type=FORM)
    assert answer.status_code == 400
    assert "Nothing was changed" in answer.content.decode()
    assert state() == ([], [CONFIRMED], [])


def test_the_address_itself_may_carry_no_order(client: Client, ada: Delivery) -> None:
    for method in (client.get, client.head):
        assert method(f"{links.unsubscribe_url(ada.pk)}?{ONE_CLICK}&choice=everything").status_code == 200
    assert client.post(f"{links.unsubscribe_url(ada.pk)}?{ONE_CLICK}").status_code == 400
    assert state() == ([], [CONFIRMED], [])


def test_the_page_asks_names_the_sender_and_hides_most_of_the_address(client: Client, ada: Delivery) -> None:
    Setting.objects.create(name="organisation_name", value="Bakery Åsa", changed_at=ada.state_at)
    html = page(client, ada)
    assert "Unsubscribe?" in html
    assert "Bakery Åsa" in html
    assert "a•••@example.org" in html
    assert "ada@example.org" not in html
    assert "News" in html
    assert state() == ([], [CONFIRMED], [])


def test_without_a_name_of_the_organisation_the_senders_stands_there(client: Client, ada: Delivery) -> None:
    SenderIdentity.objects.update(from_name="Chloé of the library")
    assert "Chloé of the library writes to you at" in page(client, ada)


def test_the_page_sets_no_cookie_and_may_not_be_kept_or_found(client: Client, ada: Delivery) -> None:
    answer = client.get(links.unsubscribe_url(ada.pk))
    assert not answer.cookies
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert "<script" not in answer.content.decode()
    assert "style=" not in answer.content.decode()


def test_leaving_the_list_on_the_page_and_coming_back(client: Client, ada: Delivery) -> None:
    url = links.unsubscribe_url(ada.pk)
    left = client.post(url, {"choice": "lists"})
    assert left.status_code == 200
    assert "is no longer on this list" in left.content.decode()
    assert "Subscribe again" in left.content.decode()
    assert state() == ([], [UNSUBSCRIBED], ["unsubscribe"])
    back = client.post(url, {"choice": "back"})
    assert "You are subscribed again" in back.content.decode()
    assert state() == ([], [CONFIRMED], ["unsubscribe", "resubscribe"])
    assert "Unsubscribe?" in page(client, ada)


def test_leaving_everything_on_the_page_and_coming_back(client: Client, ada: Delivery) -> None:
    url = links.unsubscribe_url(ada.pk)
    client.post(url, {"choice": "lists"})
    assert "We will send no more news" in client.post(url, {"choice": "everything"}).content.decode()
    assert state() == (["ada@example.org"], [UNSUBSCRIBED], ["unsubscribe", "unsubscribe"])
    assert "You are unsubscribed" in page(client, ada)
    client.post(url, {"choice": "back"})
    assert state() == ([], [CONFIRMED], ["unsubscribe", "unsubscribe", "resubscribe"])


def test_a_mailing_for_no_list_offers_only_to_leave_everything(client: Client, ada: Delivery, author: Author) -> None:
    author.list_ids = []
    html = page(client, ada)
    assert 'type="radio"' not in html
    assert '<input type="hidden" name="choice" value="everything">' in html


def test_whose_address_bounced_is_told_and_offered_nothing(client: Client, ada: Delivery) -> None:
    Suppression.objects.create(address_key="ada@example.org", reason=Suppression.Reason.HARD_BOUNCE)
    html = page(client, ada)
    assert "You get no e-mail from us" in html
    assert "<form" not in html


def test_the_page_speaks_the_asked_language_else_the_contacts_else_the_browsers(client: Client) -> None:
    chloe = make_sent("chloe@example.org", language="fr-BE")
    dmitri = make_sent("dmitri@example.org", language="ru")
    ada = make_sent("ada@example.org")
    swedish = {"headers": {"Accept-Language": "sv"}}
    assert '<html lang="fr">' in page(client, chloe, **swedish)
    assert '<html lang="nl">' in page(client, chloe, query_params={"lang": "nl"}, **swedish)
    assert '<html lang="fr">' in page(client, chloe, query_params={"lang": "xx"}, **swedish)
    assert '<html lang="sv">' in page(client, dmitri, **swedish)
    assert '<html lang="sv">' in page(client, ada, **swedish)
    assert '<html lang="en">' in page(client, ada)


def test_the_language_stays_after_the_button_is_pressed(client: Client, ada: Delivery) -> None:
    assert 'action="?lang=nl"' in page(client, ada, query_params={"lang": "nl"})
    answer = client.post(links.unsubscribe_url(ada.pk) + "?lang=nl", {"choice": "lists"})
    assert answer["Content-Language"] == "nl"


@pytest.mark.parametrize("payload", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}{% x %}"])
def test_names_on_the_page_are_only_text(client: Client, ada: Delivery, payload: str) -> None:
    List.objects.update(name=payload)
    SenderIdentity.objects.update(from_name=payload)
    Delivery.objects.update(address=f"{payload}@example.org")
    for html in (
        page(client, ada),
        client.post(links.unsubscribe_url(ada.pk), {"choice": "lists"}).content.decode(),
        client.post(links.unsubscribe_url(ada.pk), {"choice": "everything"}).content.decode(),
    ):
        assert "<script" not in html
        assert "<img" not in html
        assert "49" not in html


def test_while_the_database_is_away_a_reader_is_asked_to_try_again(client: Client, ada: Delivery) -> None:
    def away(*arguments: object) -> object:
        raise OperationalError("the connection was lost")

    with connection.execute_wrapper(away):
        for answer in (
            client.get(links.unsubscribe_url(ada.pk)),
            client.post(links.unsubscribe_url(ada.pk), ONE_CLICK, content_type=FORM),
        ):
            assert (answer.status_code, answer["Retry-After"]) == (503, "30")
            assert "Please try again" in answer.content.decode()
    assert state() == ([], [CONFIRMED], [])


def test_the_page_asks_little_of_the_database(
    client: Client, ada: Delivery, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(5):
        page(client, ada)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ada@example.org", "a•••@example.org"),
        ("a@example.org", "a•••@example.org"),
        ("å@exämple.org", "å•••@exämple.org"),
    ],
)
def test_the_shown_address_tells_its_owner_and_nobody_else(address: str, shown: str) -> None:
    assert masked(address) == shown
