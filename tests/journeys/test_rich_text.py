"""Ada writes with the rich-text editor, by keyboard, and what the reader gets is what she wrote."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from envoi.accounts.models import Role
from envoi.broadcasts.models import Broadcast
from envoi.broadcasts.tests.factories import make_draft
from tests.browser import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_what_is_written_as_rich_text_is_kept_and_shown_to_the_reader(signed_in: Callable[..., Visit]) -> None:
    visit = signed_in(Role.EDITOR)
    draft = make_draft(body="", body_type=Broadcast.BodyType.RICH_TEXT)
    page = visit.open(f"/broadcasts/{draft.pk}/content/")

    editor = page.locator("[contenteditable=true]").first
    editor.click()
    page.keyboard.type("Good news: it is ")
    page.keyboard.press("Control+b")
    page.keyboard.type("faster")
    page.keyboard.press("Control+b")
    page.keyboard.type(" now, ")
    page.get_by_text("Merge tags", exact=True).click()
    page.locator('[data-insert="{{ contact.first_name }}"]').click()
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.press("Enter")
    page.keyboard.type("our news")
    page.keyboard.press("Shift+Home")
    page.get_by_role("button", name="Link", exact=True).click()
    page.get_by_label("Address of the link").fill("https://example.org/news")
    page.get_by_role("button", name="Set link").click()
    visit.assert_accessible()
    page.get_by_role("button", name="Next Step").click()

    expect(page.frame_locator("iframe").get_by_role("link", name="our news")).to_be_visible()
    draft.refresh_from_db()
    assert draft.body.startswith("<p>Good news: it is <strong>faster</strong> now, {{ contact.first_name }}</p>")
    assert 'href="https://example.org/news"' in draft.body
    assert "script" not in draft.body
