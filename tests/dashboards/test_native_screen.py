"""A native screen: the JSON API over a real connection, by a program that keeps the last answer."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from envoi.contacts.models import Contact
from envoi.notices.models import Reading
from envoi.notices.tests.factories import make_notice
from envoi.public.tests.dashboards import Site, make_site

pytestmark = pytest.mark.django_db(transaction=True)
ADA = "mail:ada@example.net"


class Screen:
    """Keeps what it shows, and the ETag of it."""

    def __init__(self, url: str, site: Site, customer: str) -> None:
        self._url, self._site, self._customer = f"{url}/n/v1/notices", site, customer
        self._tag = ""
        self.shown: list[dict[str, Any]] = []

    def refresh(self) -> int:
        try:
            with self._send("", {"If-None-Match": self._tag}) as answer:
                self.shown, self._tag = json.load(answer)["notices"], answer.headers["ETag"]
                return int(answer.status)
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code

    def tell(self, path: str) -> int:
        with self._send(f"/{path}", {"Content-Type": "application/json"}, b"{}") as answer:
            return int(answer.status)

    def _send(self, path: str, headers: dict[str, str], body: bytes | None = None) -> Any:
        request = urllib.request.Request(self._url + path, body, {**self._site.vouch(self._customer), **headers})
        return urllib.request.urlopen(request, timeout=60)


def test_a_native_screen_shows_asks_again_and_dismisses(ada: Contact, live_server: LiveServer) -> None:
    site = make_site("App", "")
    screen = Screen(live_server.url, site, ADA)
    assert (screen.refresh(), screen.shown) == (200, [])
    assert screen.refresh() == 304
    notice = make_notice(ada, subject="Åsa's maintenance")
    assert screen.refresh() == 200
    assert [one["subject"] for one in screen.shown] == ["Åsa's maintenance"]
    assert screen.refresh() == 304
    assert screen.tell(f"{notice.key}/dismissal") == 204
    assert (screen.refresh(), screen.shown) == (200, [])
    assert Reading.objects.get().contact == ada
    assert Screen(live_server.url, Site(site.key, "guessed"), ADA).refresh() == 403
