"""E-mails shown in a browser: whatever stands in them, nothing runs; and the pages on which layouts are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Dialog, Page, Route, expect

from envoi.content import isolated
from envoi.content.compile import ContentError
from envoi.content.models import Layout
from envoi.content.tests.factories import SPECIALS, compiled
from envoi.content.tests.factories import person as reader
from envoi.content.tests.test_corpora import payloads
from tests.browser import Visit

pytestmark = [pytest.mark.browser]

ADDRESS = "http://mail.example.test/shown"


@contextmanager
def watched(browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """A page whose every script that calls alert, confirm, prompt or opens a dialog is noticed."""
    context = browser.new_context()
    # Two hundred frames at once: 45 seconds where others want the processor too.
    context.set_default_navigation_timeout(120_000)
    page, ran = context.new_page(), []
    page.expose_function("itRan", lambda words: ran.append(str(words)))
    page.add_init_script("for (const name of ['alert', 'confirm', 'prompt', 'print']) window[name] = (x) => itRan(x);")

    def noticed(dialog: Dialog) -> None:
        ran.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", noticed)
    try:
        yield page, ran
    finally:
        context.close()


def served(page: Page, answers: dict[str, tuple[str, dict[str, str]]]) -> None:
    def answer(route: Route) -> None:
        html, headers = answers.get(route.request.url, ("", {}))
        route.fulfill(body=html, headers={"Content-Type": "text/html; charset=utf-8"} | headers)

    page.unroute_all()
    page.route("**/*", answer)


def shown(body: str, name: str) -> str:
    """The e-mail's HTML with the payload in content, subject and contact; without what no compiler takes."""
    for tried in (body, "<p>x</p>"):
        try:
            skeleton = compiled(
                f"{tried}<p title='{{{{ contact.first_name }}}}'>{{{{ contact.first_name }}}}</p>"
                "<a href='{{ contact.first_name }}'>x</a>",
                subject="{{ contact.first_name }}",
            )
        except ContentError:
            continue
        return skeleton.render(reader(first_name=name), SPECIALS).html
    raise AssertionError("unreachable")


def test_no_payload_runs_in_the_preview_or_on_the_page_of_the_web_version(browser: Browser) -> None:
    answers, frames = {}, []
    for number, payload in enumerate(payloads()):
        answer = isolated.document(shown(payload, payload))
        # Another host frames it here: "sandbox" in the policy is what is looked at, first without the frame's own.
        headers = {name: value.replace("frame-ancestors 'self'", "") for name, value in answer.items()}
        del headers["X-Frame-Options"]
        answers[f"{ADDRESS}/{number}"] = (answer.content.decode(errors="replace"), headers)
        frames.append(f'<iframe src="{ADDRESS}/{number}"></iframe>')
        frames.append(f'<iframe sandbox="allow-popups" src="{ADDRESS}/{number}"></iframe>')
    with watched(browser) as (page, ran):
        served(page, answers | {ADDRESS: (f"<!doctype html>{''.join(frames)}", {})})
        page.goto(ADDRESS, wait_until="load")
        page.wait_for_timeout(500)
        assert len(page.frames) == len(frames) + 1
        assert ran == []


def test_the_watch_itself_notices_a_script_that_runs(browser: Browser) -> None:
    with watched(browser) as (page, ran):
        served(page, {ADDRESS: ("<!doctype html><img src=x onerror=alert(1)>", {})})
        page.goto(ADDRESS, wait_until="load")
        page.wait_for_timeout(200)
        assert ran == ["1"]


@pytest.mark.django_db(transaction=True)
def test_ada_writes_a_layout_sees_her_fault_and_mends_it(signed_in: Callable[..., Visit]) -> None:
    layout = Layout.objects.create(name="Plain", html="<p>top</p>{{ content }}")
    visit = signed_in("editor")
    page = visit.open("/layouts/")
    visit.assert_accessible()
    page.get_by_role("link", name="Plain").click()
    visit.ready()
    visit.assert_accessible()
    expect(page.frame_locator("iframe").get_by_text("Good morning, Ada")).to_be_visible()

    page.get_by_label("Name").fill("Plainer")
    page.get_by_role("textbox", name="HTML").fill("<p>{{ contact.frist_name }}</p>{{ content }}")
    page.get_by_role("button", name="Save layout").click()
    visit.allow("422")
    expect(page.get_by_text("Did you mean “contact.first_name”?")).to_be_visible()
    visit.ready()
    visit.assert_accessible()

    page.get_by_role("textbox", name="HTML").fill("<p>Hi {{ contact.first_name }}</p>{{ content }}")
    page.get_by_role("button", name="Save layout").click()
    expect(page.get_by_text("The layout “Plainer” is saved.")).to_be_visible()
    layout.refresh_from_db()
    assert layout.html == "<p>Hi {{ contact.first_name }}</p>{{ content }}"
    visit.page.set_viewport_size({"width": 360, "height": 740})
    visit.assert_fits()
