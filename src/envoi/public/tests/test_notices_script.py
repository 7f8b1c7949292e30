"""`notices.js` as other people's pages fetch it."""

from __future__ import annotations

import gzip

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from envoi.public.notices.script import FILE

pytestmark = pytest.mark.skipif(finders.find(FILE) is None, reason="the front end is not built")
ADDRESS = "/n/v1/notices.js"


def test_it_is_small() -> None:
    answer = Client().get(ADDRESS, headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert len(answer.content) <= 8 * 1024
    assert b"envoi-notices" in gzip.decompress(answer.content)


def test_any_page_may_use_it_and_keeps_it_for_an_hour() -> None:
    answer = Client().get(ADDRESS)
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer["Cache-Control"].startswith("public, max-age=3600")
    assert "Set-Cookie" not in answer


def test_an_unchanged_script_is_not_sent_again() -> None:
    first = Client().get(ADDRESS, headers={"Accept-Encoding": "br, gzip"})
    assert first["Content-Encoding"] == "br"
    again = Client().get(ADDRESS, headers={"Accept-Encoding": "br, gzip", "If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_it_holds_no_way_to_run_what_it_is_given() -> None:
    script = Client().get(ADDRESS).content
    for sink in (b"innerHTML", b"outerHTML", b"insertAdjacentHTML", b"document.write", b"eval(", b"new Function"):
        assert sink not in script, sink
    assert b"document.cookie" not in script
    assert b"localStorage" not in script
