"""A message on dashboards in a real browser: from the wizard to who dismissed it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from envoi.accounts.models import Role, User
from envoi.broadcasts.models import Broadcast
from envoi.contacts.models import Contact
from envoi.core import clock
from envoi.delivery.tests.factories import make_contact, make_identity, make_product
from envoi.notices import actions as notices
from envoi.notices import queries
from tests.browser import SMALL, Visit, visiting
from tests.journeys.test_main_job import choose

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Visit]:
    with visiting(browser, live_server.url) as somebody:
        yield somebody


@pytest.fixture
def chloe() -> Contact:
    return make_contact("chloe@example.net", first_name="Chloé", last_name="Martin")


def write(page: Page) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name="Warning").check(force=True)
    dialog.get_by_label("Subject").fill("Maintenance tonight")
    dialog.locator(".ProseMirror").click()
    page.keyboard.type("From ten o'clock on, for an hour.")
    dialog.get_by_label("Text of the button").fill("Read on")
    dialog.get_by_label("Address of the button").fill("https://example.org/maintenance")


def test_from_the_wizard_to_who_dismissed_it(visit: Visit, person: Callable[..., User], chloe: Contact) -> None:
    page = visit.page
    identity = make_identity()
    identity.is_default = True
    identity.save()
    bob = make_contact("bob@example.net", first_name="Bob")
    make_product("Pro plan", chloe, bob)
    visit.sign_in(person("ada", role=Role.OWNER))
    visit.open("/broadcasts/")
    page.get_by_role("link", name="Add Broadcast").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name="Message A notice").check(force=True)
    dialog.get_by_role("button", name="Next Step").click()
    choose(page, "Target products", "Pro", "Pro plan")
    expect(dialog.get_by_text("2 people see it")).to_be_visible()
    dialog.get_by_role("button", name="Next Step").click()
    write(page)
    visit.assert_accessible()
    visit.shoot("message-content")
    dialog.get_by_label("Only to those who have not seen the message").check()
    expect(dialog.get_by_label("Hours to wait before the e-mail")).to_be_visible()
    visit.assert_accessible()
    dialog.get_by_role("button", name="Next Step").click()
    frame = page.frame_locator("dialog iframe")
    expect(frame.get_by_role("heading", name="Maintenance tonight")).to_have_count(4)
    expect(dialog.get_by_text("2 of them can get the e-mail.")).to_be_visible()
    visit.assert_accessible()
    visit.shoot("message-review")
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Show this message to 2 people?")).to_be_visible()
    page.locator("dialog.small").get_by_role("button", name="Send").click()

    expect(page.locator("#notice-numbers")).to_be_visible()
    visit.ready()
    shown = queries.shown_to(chloe.pk, now=clock.now())
    assert [(one.subject, one.level) for one in shown] == [("Maintenance tonight", "warning")]
    notices.dismiss(shown[0].key, chloe.pk)
    numbers = page.locator("#notice-numbers")
    numbers.get_by_role("link", name="Seen").focus()
    expect(numbers.locator(".card", has_text="Dismissed").locator(".stat-value")).to_have_text("1")
    expect(numbers.get_by_role("link", name="Seen")).to_be_focused()
    expect(page.get_by_text("An e-mail goes to those who have not seen it")).to_be_visible()
    # axe-core speaks to frames, and finds one that is only half there to be another's.
    page.locator("#preview").scroll_into_view_if_needed()
    expect(page.frame_locator("#preview iframe").get_by_role("heading", name="Maintenance tonight")).to_be_visible()
    visit.assert_accessible()
    visit.shoot("message-page")

    page.get_by_role("link", name="Readers").click()
    visit.ready()
    expect(page.get_by_text("chloe@example.net")).to_be_visible()
    visit.assert_accessible()
    page.get_by_role("button", name="Show again to Chloé Martin").click()
    expect(page.get_by_text("Chloé Martin sees it again")).to_be_visible()
    assert len(queries.shown_to(chloe.pk, now=clock.now())) == 1

    change(visit)
    assert queries.shown_to(chloe.pk, now=clock.now())[0].subject == "Maintenance tomorrow"
    page.get_by_role("button", name="Withdraw").click()
    page.locator("dialog.small").get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text("It is withdrawn.")).to_be_visible()
    assert queries.shown_to(chloe.pk, now=clock.now()) == []


def change(visit: Visit) -> None:
    page = visit.page
    visit.open(f"/broadcasts/{Broadcast.objects.get().pk}/")
    page.locator("#preview").scroll_into_view_if_needed()
    expect(page.frame_locator("#preview iframe").get_by_role("heading", name="Maintenance tonight")).to_be_visible()
    page.get_by_role("link", name="Edit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Subject").fill("Maintenance tomorrow")
    visit.assert_accessible()
    dialog.get_by_role("button", name="Change it on every dashboard").click()
    expect(page.get_by_text("It is changed.")).to_be_visible()
    visit.ready()


def test_it_is_written_by_keyboard_on_a_small_screen(visit: Visit, person: Callable[..., User], chloe: Contact) -> None:
    page = visit.page
    page.set_viewport_size(SMALL)
    make_product("Pro plan", chloe)
    visit.sign_in(person("ada", role=Role.OWNER))
    visit.open("/broadcasts/new/")
    page.get_by_role("radio", name="Email A message").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Message A notice")).to_be_checked()
    page.keyboard.press("Enter")
    choose(page, "Target products", "Pro", "Pro plan")
    page.get_by_role("button", name="Next Step").press("Enter")
    visit.ready()
    page.get_by_role("radio", name="Info").focus()
    for _step in range(3):
        page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Error")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.type("Outage")
    page.locator(".ProseMirror").focus()
    page.keyboard.type("We are on it.")
    visit.assert_fits()
    visit.shoot("message-content-small")
    page.get_by_role("button", name="Next Step").press("Enter")
    visit.ready()
    expect(page.frame_locator("iframe").get_by_role("heading", name="Outage")).to_have_count(4)
    visit.assert_fits()
    visit.assert_accessible()
    visit.shoot("message-review-small")
    page.get_by_role("button", name="Send", exact=True).press("Enter")
    page.locator("dialog.small").get_by_role("button", name="Send").press("Enter")
    expect(page.locator("#notice-numbers")).to_be_visible()
    visit.ready()
    visit.assert_fits()
    visit.shoot("message-page-small")
    assert [one.level for one in queries.shown_to(chloe.pk, now=clock.now())] == ["error"]
