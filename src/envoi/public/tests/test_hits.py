from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from envoi.audiences.models import Subscription
from envoi.contacts.models import Contact
from envoi.tracking import links, spool
from envoi.tracking.actions.flush import flush_spool
from envoi.tracking.models import Activity
from envoi.tracking.origins import NothingToShow
from envoi.tracking.spool import Hit
from envoi.tracking.tests.factories import BROWSER, Author, make_link, make_sent, subscribe

pytestmark = pytest.mark.django_db


def spooled() -> list[Hit]:
    found: list[Hit] = []

    def take(hits: Sequence[Hit]) -> int:
        found.extend(hits)
        return len(hits)

    spool.drain(take)
    return found


def rows() -> dict[str, int]:
    """How many rows every table has."""
    return {model._meta.label: model._base_manager.count() for model in apps.get_models()}


def away(execute: Callable[..., Any], *arguments: Any) -> Any:
    raise OperationalError("the connection was lost")


def test_the_pixel_is_a_picture_of_43_bytes_that_nobody_may_keep(client: Client) -> None:
    ada = make_sent()
    answer = client.get(links.open_url(ada.pk), headers={"User-Agent": BROWSER}, REMOTE_ADDR="203.0.113.77")
    assert (answer.status_code, answer["Content-Type"], len(answer.content)) == (200, "image/gif", 43)
    assert answer.content.startswith(b"GIF89a\x01\x00\x01\x00")
    assert answer.content.endswith(b"\x3b")
    assert answer["Cache-Control"] == "private, no-store"
    assert not answer.cookies
    (hit,) = spooled()
    assert (hit.type, hit.delivery_id, hit.link_id) == ("open", ada.pk, None)
    assert (hit.method, hit.user_agent, hit.ip) == ("GET", BROWSER, "203.0.113.0")


def test_a_link_leads_on_to_the_registered_address_and_nowhere_else(client: Client) -> None:
    ada = make_sent()
    link = make_link(ada.mailing, "https://example.net/offer?a=1&b=é#top")
    answer = client.get(f"{links.click_url(ada.pk, link.pk)}?url=https://evil.example")
    assert (answer.status_code, answer["Location"]) == (302, "https://example.net/offer?a=1&b=%C3%A9#top")
    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("private, no-store", "no-referrer")
    assert not answer.cookies
    assert [(hit.type, hit.link_id) for hit in spooled()] == [("click", link.pk)]


def test_a_link_is_filled_with_the_persons_values_when_it_is_followed(client: Client, author: Author) -> None:
    ada = make_sent(first_name="Ada")
    link = make_link(ada.mailing, "https://example.net/hello?name={{ contact.first_name }}")
    answer = client.get(links.click_url(ada.pk, link.pk))
    assert answer["Location"] == "https://example.net/hello?name=Ada"


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//example.net/", "mailto:a@example.net", "https://", "http://[x"],
)
def test_a_link_to_no_web_address_leads_nowhere(client: Client, url: str) -> None:
    ada = make_sent()
    assert client.get(links.click_url(ada.pk, make_link(ada.mailing, url).pk)).status_code == 404


def test_a_value_cannot_turn_a_link_into_a_script(client: Client, author: Author) -> None:
    ada = make_sent(first_name="javascript:alert(1)")
    link = make_link(ada.mailing, "{{ contact.first_name }}")
    assert client.get(links.click_url(ada.pk, link.pk)).status_code == 404


def test_a_link_that_its_author_cannot_fill_or_whose_author_is_gone_leads_nowhere(
    client: Client, author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = make_sent()
    link = make_link(ada.mailing, "https://example.net/{{ contact.first_name }}")

    def refuse(delivery: object, url: str) -> str:
        raise NothingToShow("no such tag")

    monkeypatch.setattr(author, "link_target", refuse)
    assert client.get(links.click_url(ada.pk, link.pk)).status_code == 404


def test_a_link_of_another_mailing_is_not_filled_with_this_persons_values(client: Client, author: Author) -> None:
    ada, bob = make_sent("ada@example.org", first_name="Ada"), make_sent("bob@example.org")
    bobs = make_link(bob.mailing, "https://example.net/{{ contact.first_name }}")
    assert client.get(links.click_url(ada.pk, bobs.pk)).status_code == 404


def test_head_tells_what_get_would_and_counts_as_a_machine(client: Client) -> None:
    ada = make_sent()
    link = make_link(ada.mailing)
    assert client.head(links.click_url(ada.pk, link.pk), headers={"User-Agent": BROWSER}).status_code == 302
    assert client.head(links.open_url(ada.pk), headers={"User-Agent": BROWSER}).content == b""
    flush_spool()
    assert set(Activity.objects.values_list("type", "automated")) == {("click", "head"), ("open", "head")}


@pytest.mark.fault("F12")
def test_a_link_seen_before_works_while_the_database_is_away_and_the_click_is_not_lost(client: Client) -> None:
    ada = make_sent()
    known, unknown = make_link(ada.mailing), make_link(ada.mailing, "https://example.net/new", position=2)
    client.get(links.click_url(ada.pk, known.pk))
    with connection.execute_wrapper(away):
        assert client.get(links.open_url(ada.pk)).status_code == 200
        assert client.get(links.click_url(ada.pk, known.pk))["Location"] == "https://example.net/offer"
        later = client.get(links.click_url(ada.pk, unknown.pk))
    assert (later.status_code, later["Retry-After"]) == (503, "30")
    assert "Please try again" in later.content.decode()
    assert '<html lang="en">' in later.content.decode()
    assert flush_spool() == 4
    assert client.get(links.click_url(ada.pk, unknown.pk)).status_code == 302


def test_pixel_and_known_link_ask_the_database_nothing(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ada = make_sent()
    url = links.click_url(ada.pk, make_link(ada.mailing).pk)
    client.get(url)
    with django_assert_num_queries(0):
        client.get(url)
        client.get(links.open_url(ada.pk))


def test_a_signed_in_editor_who_reads_is_a_reader_and_no_session_is_looked_up(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ada = make_sent()
    client.cookies["sessionid"] = "0123456789abcdef0123456789abcdef"
    with django_assert_num_queries(0):
        answer = client.get(links.open_url(ada.pk))
    assert answer.status_code == 200
    with CaptureQueriesContext(connection) as asked:
        assert client.get(links.unsubscribe_url(ada.pk)).status_code == 200
    assert [query["sql"] for query in asked if "session" in query["sql"]] == []


@pytest.mark.fault("F12")
def test_a_whole_server_without_its_database_still_answers_the_pixel(tmp_path: Path) -> None:
    program = """
import django; django.setup()
from django.test import Client
from envoi.tracking import links, spool
client = Client(HTTP_HOST="localhost")
print(client.get(links.open_url(7)).status_code, client.get(links.click_url(7, 9)).status_code,
      client.get(links.unsubscribe_url(7)).status_code)
print((spool.folder() / "hits.log").read_bytes().count(b"open"))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "envoi.config.settings",
            "ENVOI_DATA": str(tmp_path),
            "ENVOI_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["200", "503", "503", "1"]


@pytest.mark.fault("F30")
def test_a_full_disk_is_no_readers_fault(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(hit: Hit) -> None:
        raise OSError(28, "No space left on device")

    ada = make_sent()
    link = make_link(ada.mailing)
    monkeypatch.setattr(spool, "append", full)
    assert client.get(links.open_url(ada.pk)).status_code == 200
    assert client.get(links.click_url(ada.pk, link.pk)).status_code == 302


def token(url: str) -> str:
    return url.rpartition("/")[2].removesuffix(".gif")


def refused(client: Client, paths: list[str]) -> None:
    """Whatever is asked of these addresses, the answer is the same plain 404."""
    bodies = set()
    for path in paths:
        for method in (client.get, client.head):
            answer = method(path)
            assert answer.status_code == 404
            bodies.add(answer.content)
    assert bodies == {b"Not found\n", b""}


@pytest.mark.parametrize("letter", ["o", "w", "u"])
def test_forged_cut_and_foreign_tokens_are_not_found_and_leave_no_trace(client: Client, letter: str) -> None:
    ada = make_sent()
    urls = {"o": links.open_url, "w": links.webview_url, "u": links.unsubscribe_url}
    good = token(urls[letter](ada.pk))
    foreign = [token(of(ada.pk)) for other, of in urls.items() if other != letter]
    before = rows()
    bad = [*foreign, good[:-1], good[1:], good + "A", "A" * 24, "x", "é" * 24, "a" * 5000]
    refused(client, [f"/{letter}/{one}{'.gif' if letter == 'o' else ''}" for one in bad])
    if letter == "u":
        for one in bad:
            assert client.post(f"/u/{one}", {"List-Unsubscribe": "One-Click"}).status_code == 404
    assert (rows(), spooled()) == (before, [])


def test_a_tracked_link_with_either_part_forged_cut_or_foreign_is_not_found(client: Client) -> None:
    ada = make_sent()
    delivery, link = links.click_url(ada.pk, make_link(ada.mailing).pk).split("/")[-2:]
    before = rows()
    unsubscribe = token(links.unsubscribe_url(ada.pk))
    bad = [delivery[:-1], delivery + "A", "A" * 20, "x", "é" * 20, unsubscribe, link, "a" * 5000]
    refused(client, [f"/c/{one}/{link}" for one in bad])
    refused(client, [f"/c/{delivery}/{one}" for one in [link[:-1], link + "A", "A" * 16, "x", "é" * 16, delivery]])
    assert (rows(), spooled()) == (before, [])


def test_a_link_of_another_mailing_leads_on_but_is_counted_for_nobody(client: Client) -> None:
    ada, bob = make_sent("ada@example.org"), make_sent("bob@example.org")
    bobs = make_link(bob.mailing)
    assert client.get(links.click_url(ada.pk, bobs.pk))["Location"] == "https://example.net/offer"
    assert flush_spool() == 0
    assert not Activity.objects.exists()


def test_ten_thousand_random_tokens_are_not_found_and_leave_no_trace(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    before = rows()
    with django_assert_num_queries(0):
        for number in range(10_000):
            letter = "u" if number % 50 == 0 else "oc"[number % 2]
            path = f"/{letter}/{secrets.token_urlsafe(18 if letter == 'u' else 15)}"
            end = {"o": ".gif", "c": f"/{secrets.token_urlsafe(12)}", "u": ""}[letter]
            assert client.get(path + end).status_code == 404
    assert (rows(), spooled()) == (before, [])


def test_a_good_token_of_what_is_gone_is_not_found(client: Client) -> None:
    for url in (links.webview_url(404), links.unsubscribe_url(404), links.click_url(404, 404)):
        assert client.get(url).status_code == 404
    assert client.post(links.unsubscribe_url(404), {"List-Unsubscribe": "One-Click"}).status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_pixel_link_and_web_view_are_only_read(client: Client, method: str) -> None:
    ada = make_sent()
    link = make_link(ada.mailing)
    for url in (links.open_url(ada.pk), links.click_url(ada.pk, link.pk), links.webview_url(ada.pk)):
        assert getattr(client, method)(url).status_code == 405
    assert spooled() == []


def test_a_scanner_that_fetches_every_address_of_a_message_changes_nothing(client: Client, author: Author) -> None:
    ada = make_sent()
    author.list_ids = [subscribe(ada, "News").pk]
    link = make_link(ada.mailing)
    urls = [links.open_url, links.webview_url, links.unsubscribe_url]
    before, contacts = rows(), list(Contact.objects.values())
    for _ in range(3):
        for url in [*(make(ada.pk) for make in urls), links.click_url(ada.pk, link.pk)]:
            client.get(url)
            client.head(url)
    assert (rows(), list(Contact.objects.values())) == (before, contacts)
    assert Subscription.objects.get().status == Subscription.Status.CONFIRMED


def test_the_web_view_is_the_message_shut_off_from_everything(client: Client, author: Author) -> None:
    ada = make_sent()
    author.html = (
        "<!doctype html><html><head><title>Hi</title></head><body><script>alert(1)</script>Hello</body></html>"
    )
    answer = client.get(links.webview_url(ada.pk))
    assert (answer.status_code, "Hello" in answer.content.decode()) == (200, True)
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "script-src 'none'" in policy
    assert (answer["Referrer-Policy"], answer["X-Robots-Tag"]) == ("no-referrer", "noindex, nofollow")
    assert spooled() == []


def test_a_message_without_an_author_has_no_web_view(client: Client) -> None:
    assert client.get(links.webview_url(make_sent().pk)).status_code == 404
