"""Messages for dashboards: whatever is written into one, nothing of it runs where it is shown."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser

from envoi.content.tests.test_corpora import payloads
from envoi.notices import cleaning
from envoi.notices.models import Level, Notice
from tests.console.test_mail_in_a_browser import ADDRESS, served, watched

pytestmark = [pytest.mark.browser]


def test_no_payload_survives_the_cleaning(browser: Browser) -> None:
    """The cleaned words stand in a page without any policy, once as it is parsed and once inserted by a script."""
    bodies = [cleaning.clean(payload) for payload in payloads()]
    sections = "".join(f"<section>{body}</section>" for body in bodies)
    insert = "(html) => { const t = document.createElement('div'); document.body.append(t); t.innerHTML = html; }"
    with watched(browser) as (page, ran):
        served(page, {ADDRESS: (f"<!doctype html><body>{sections}", {})})
        page.goto(ADDRESS, wait_until="load")
        for body in bodies:
            page.evaluate(insert, body)
        for link in page.locator("a[href]").all()[:50]:
            assert (link.get_attribute("href") or "").partition(":")[0] in {"http", "https", "mailto", "tel"}
        for harmful in (
            "script",
            "style",
            "iframe",
            "img",
            "svg",
            "form",
            "input",
            "object",
            "embed",
            "[style]",
            "[id]",
        ):
            assert page.locator(f"section {harmful}, div {harmful}").count() == 0, harmful
        page.wait_for_timeout(300)
        assert ran == []


def test_no_payload_runs_in_the_preview_on_a_dashboard(browser: Browser) -> None:
    answers: dict[str, tuple[str, dict[str, str]]] = {}
    frames = []
    for number, payload in enumerate(payloads()):
        notice = Notice(
            subject=payload[:300], body=cleaning.clean(payload), link_label=payload[:80], link_url="https://example.org"
        )
        html = render_to_string("console/broadcasts/notice/document.html", {"notice": notice, "own": Level.INFO})
        answers[f"{ADDRESS}/{number}"] = (html, {})
        frames.append(f'<iframe src="{ADDRESS}/{number}"></iframe>')
    with watched(browser) as (page, ran):
        served(page, answers | {ADDRESS: (f"<!doctype html>{''.join(frames)}", {})})
        page.goto(ADDRESS, wait_until="load")
        page.wait_for_timeout(500)
        assert len(page.frames) == len(frames) + 1
        assert ran == []
