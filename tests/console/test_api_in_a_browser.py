"""An owner makes a key in the console, a program uses it, and the reference page shows how."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from envoi.audiences.tests.factories import make_product
from envoi.contacts.tests.factories import contact
from envoi.notices.tests.factories import subjects
from tests.browser import SMALL, Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_ada_makes_a_key_and_her_script_tells_the_customers(visit: Visit, signed_in: Callable[..., Visit]) -> None:
    bob = contact("bob@customer.example")
    make_product("Pro", bob)
    signed_in()
    page = visit.open("/settings/api-keys/")
    page.get_by_role("link", name="Make a key").click()
    visit.ready()
    page.get_by_label("Name").fill("Nightly maintenance")
    page.get_by_label("Publish, change, end and withdraw notices").check()
    page.get_by_role("button", name="Make the key").click()
    visit.ready()
    visit.assert_accessible()
    key = page.locator("#api-key").inner_text()
    status, told = asked(visit.url, key, {"targets": {"products": ["Pro"]}, "subject": "Tonight", "text": "At ten."})
    assert (status, told["state"]) == (201, "shown")
    assert subjects(bob) == ["Tonight"]
    page = visit.open("/broadcasts/")
    expect(page.get_by_text("Tonight").first).to_be_visible()
    page = visit.open("/settings/api-keys/")
    expect(page.get_by_text("Never")).to_have_count(0)
    page.set_viewport_size(SMALL)
    visit.assert_fits()
    visit.assert_accessible()
    page.get_by_role("button", name="Revoke Nightly maintenance").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("Revoked")).to_be_visible()
    assert asked(visit.url, key, {})[0] == 401


def test_the_reference_page_works_without_asking_anybody_else(visit: Visit) -> None:
    page, asked_for = visit.page, []
    page.on("request", lambda request: asked_for.append(request.url))
    page.set_viewport_size(SMALL)
    page.goto(visit.url + "/api/v1/docs")
    expect(page.get_by_text("Publish", exact=True)).to_be_visible()
    page.get_by_text("Publish", exact=True).click()
    expect(page.get_by_text("Idempotency-Key").first).to_be_visible()
    assert [url for url in asked_for if not url.startswith((visit.url, "data:"))] == []


def asked(url: str, key: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
    """What a program is answered."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/api/v1/notices", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
