"""Envoi's own customer page in a real browser; and where an operator lets sites show notices."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from envoi.audiences.models import Subscription
from envoi.contacts.models import Contact
from envoi.customers import tokens
from envoi.customers.models import SignIn
from envoi.delivery.tests.factories import make_list, make_product
from envoi.notices import actions
from envoi.notices.models import Notice, Reading
from envoi.notices.tests.factories import make_notice
from tests.browser import SMALL, Visit
from tests.dashboards.host import written_down
from tests.dashboards.test_script_tag import PAYLOADS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def inside(visit: Visit, ada: Contact) -> Page:
    """Ada follows her link."""
    made = SignIn.objects.create(contact=ada, language="en")
    visit.page.goto(f"{visit.url}/my/enter/{tokens.make(made.pk, tokens.LINK)}/")
    visit.page.get_by_role("button", name="Sign in").click()
    expect(visit.page.get_by_role("heading", name="Hello Ada")).to_be_visible()
    return visit.page


def test_a_customer_asks_for_a_link_and_comes_in(visit: Visit, ada: Contact) -> None:
    page = visit.page
    page.goto(f"{visit.url}/my/")
    visit.assert_accessible()
    page.get_by_label("E-mail address").fill("ada")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This is not an e-mail address.")
    visit.assert_accessible()
    page.get_by_label("E-mail address").fill("ada@example.net")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("status")).to_contain_text("a message with a link is on its way")
    visit.assert_accessible()
    visit.allow("422")


def test_an_open_page_shows_a_new_notice_by_itself_and_dismisses_it(inside: Page, visit: Visit, ada: Contact) -> None:
    notice = make_notice(ada, subject="Right now", level="warning")
    article = inside.get_by_role("article", name="Right now")
    expect(article).to_be_visible()
    article.get_by_role("button", name="Dismiss").focus()
    with written_down(inside, "dismissal"):
        inside.keyboard.press("Enter")
    expect(article).to_have_count(0)
    expect(inside.get_by_role("heading", name="Right now")).to_have_count(0)
    inside.get_by_role("link", name="Past messages").click()
    expect(inside.get_by_text("Right now")).to_be_visible()
    assert Reading.objects.get().dismissed_at is not None
    actions.withdraw(notice, actor=None)
    inside.reload()
    expect(inside.get_by_text("Right now")).to_have_count(0)


def test_every_page_is_accessible_and_fits_a_telephone(inside: Page, visit: Visit, ada: Contact) -> None:
    make_product("Pro", ada)
    make_list("News", ada)
    for level in ("info", "success", "warning", "error"):
        make_notice(
            ada, subject=f"{level} " + "long" * 30, level=level, link_label="More", link_url="https://example.org"
        )
    old = make_notice(ada, subject="Old")
    actions.see([old.key], ada.pk)
    actions.end_now(old, actor=None)
    for theme in ("light", "dark"):
        inside.emulate_media(color_scheme=theme, reduced_motion="reduce")
        for place in ("", "messages/", "preferences/"):
            inside.goto(f"{visit.url}/my/{place}")
            if not place:
                expect(inside.locator("envoi-notices section article")).to_have_count(4)
            visit.assert_accessible()
            visit.shoot(f"my-{place.strip('/') or 'home'}-{theme}")
    inside.set_viewport_size(SMALL)
    for place in ("", "messages/", "preferences/"):
        inside.goto(f"{visit.url}/my/{place}")
        visit.assert_fits()
    visit.shoot("my-small")


def test_preferences_by_keyboard(inside: Page, visit: Visit, ada: Contact) -> None:
    make_list("News", ada)
    inside.get_by_role("link", name="Preferences").click()
    inside.get_by_role("checkbox", name="News").focus()
    inside.keyboard.press("Space")
    inside.get_by_role("button", name="Save the lists").press("Enter")
    expect(inside.get_by_role("status")).to_have_text("Your choice is saved.")
    assert Subscription.objects.get().status == Subscription.Status.UNSUBSCRIBED
    inside.get_by_role("combobox", name="Language").select_option("sv")
    inside.get_by_role("button", name="Save the language").click()
    expect(inside.locator("html")).to_have_attribute("lang", "sv")
    inside.goto(f"{visit.url}/my/")
    expect(inside.locator("envoi-notices")).to_have_attribute("data-language", "sv")


@pytest.mark.parametrize("scripts", [True, False])
def test_no_payload_runs(visit: Visit, ada: Contact, dialogs: list[str], inside: Page, scripts: bool) -> None:
    inside.goto("about:blank")  # so that nobody asks while the payloads are written
    for payload in PAYLOADS:
        made = make_notice(ada, subject=payload, body=payload)
        Notice.objects.filter(pk=made.pk).update(link_label=payload[:80], link_url="https://example.org/?<script>")
    if not scripts:
        inside.route("**/notices.js", lambda route: route.abort())
    inside.goto(f"{visit.url}/my/")
    expect(inside.get_by_role("article")).to_have_count(5)
    inside.wait_for_timeout(500)
    for inner in ("img", "iframe", "svg", "script", "[onmouseover]", 'a[href^="javascript"]'):
        assert inside.locator(f"envoi-notices {inner}").count() == 0, inner
    assert dialogs == []
    visit.allow("ERR_FAILED")


def test_an_operator_adds_a_site_and_reads_how(signed_in: Callable[..., Visit]) -> None:
    visit = signed_in()
    page = visit.open("/settings/dashboards/new/")
    page.get_by_label("Name").fill("Shop")
    page.get_by_label("Addresses of the site").fill("https://shop.example.org")
    page.get_by_role("button", name="Add the site").click()
    expect(page.locator("#site-secret")).to_be_visible()
    visit.ready()
    visit.assert_accessible()
    visit.shoot("dashboards-made")
    page.get_by_role("link", name="Done").click()
    visit.ready()
    page.get_by_role("link", name="Shop").click()
    visit.ready()
    visit.assert_accessible()
    page.set_viewport_size(SMALL)
    visit.assert_fits()
    visit.shoot("dashboards-small")
