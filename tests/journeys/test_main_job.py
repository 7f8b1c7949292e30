"""The main job in a real browser: from “Add Broadcast” to a reader who leaves, and the numbers after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from envoi.accounts.models import Role, User
from envoi.audiences.models import List
from envoi.broadcasts.actions.send import send
from envoi.broadcasts.models import Broadcast
from envoi.broadcasts.tests.factories import make_draft, make_layout, people
from envoi.contacts.models import Suppression
from envoi.content.models import Layout
from envoi.core.tasks.testing import run_due
from envoi.delivery.models import Delivery, SenderIdentity, Transport
from envoi.delivery.sandbox.store import Mailbox
from envoi.delivery.tests.factories import (
    make_contact,
    make_identity,
    make_list,
    make_product,
    make_transport,
    suppress,
)
from envoi.tracking import targets
from envoi.tracking.actions.flush import flush_spool
from tests.browser import SMALL, Visit, in_thread, visiting
from tests.journeys.sandboxed import sandbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


# Chromium without a window names itself a machine, and is told apart as one; here it stands for a person.
READER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Visit]:
    with visiting(browser, live_server.url, user_agent=READER) as somebody:
        yield somebody


@pytest.fixture
def box(tmp_path: Path, settings: Settings, visit: Visit) -> Iterator[Mailbox]:
    settings.ENVOI_DATA, settings.ENVOI_BASE_URL = tmp_path, visit.url
    targets.registered.cache_clear()
    with sandbox(tmp_path) as mailbox:
        yield mailbox


LAYOUT = (
    '<html><head></head><body><main>{{ content }}</main><p><a href="{{ webview_url }}">View in your browser</a></p>'
    "<p>{{ organisation.name }} {{ organisation.address }}</p>"
    '<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p></body></html>'
)


@pytest.fixture
def organisation(box: Mailbox) -> None:
    """Ada's customers: two on the plan, three on the list, of whom Dmitri does not want mail; and Chloé."""
    identity = make_identity(make_transport("Sandbox", kind=Transport.Kind.SANDBOX))
    identity.is_default = True
    identity.save()
    # Whatever tests before left of the layout that every installation has.
    Layout.objects.all().delete()
    layout = make_layout("House", LAYOUT)
    layout.is_default = True
    layout.save()
    dmitri = make_contact("dmitri@example.net", first_name="Dmitri")
    suppress("dmitri@example.net", Suppression.Reason.UNSUBSCRIBED)
    make_contact("chloe@example.net", first_name="Chloé", last_name="Martin")
    make_product("Pro plan", *people(2))
    make_list("Newsletter", *people(2, "example.com"), dmitri)


def choose(page: Page, field: str, typed: str, offered: str) -> None:
    """Type into a field and take what it offers, without a mouse."""
    control = page.get_by_role("combobox", name=field, exact=True)
    control.focus()
    with page.expect_response(lambda answer: answer.url.endswith(f"q={typed}")):
        page.keyboard.type(typed)
    expect(page.locator(".option.active")).to_contain_text(offered)
    page.keyboard.press("Enter")
    expect(page.locator(".ts-control .item").filter(has_text=offered)).to_be_visible()
    page.keyboard.press("Tab")


def write(visit: Visit) -> None:
    page = visit.page
    page.get_by_label("Subject").fill("News for {{ contact.first_name }}")
    page.get_by_label("Preview text").fill("In short")
    page.get_by_text("HTML", exact=True).click()
    editor = page.locator(".cm-content")
    expect(editor).to_be_visible()
    editor.click()
    # What our news are about stands on this very server, where a click leads to something.
    page.keyboard.insert_text(
        f'<p>Dear {{{{ contact.first_name }}}}, <a href="{visit.url}/accounts/login/">read on</a>.</p>'
    )


def test_from_add_broadcast_to_the_numbers(
    visit: Visit, box: Mailbox, organisation: None, person: Callable[..., User]
) -> None:
    page = visit.page
    person("ada", role=Role.OWNER)
    visit.open("/")
    page.locator("input[name=login]").fill("ada@example.org")
    page.locator("input[name=password]").fill("correct horse battery")
    page.locator("input[name=password]").press("Enter")
    page.get_by_role("link", name="Broadcasts", exact=True).first.click()
    visit.ready()
    visit.assert_accessible()

    page.get_by_role("link", name="Add Broadcast").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("What do you want to send?")).to_be_visible()
    visit.assert_accessible()
    dialog.get_by_role("button", name="Next Step").click()
    choose(page, "Target customers", "Chlo", "Chloé Martin")
    choose(page, "Target products", "Pro", "Pro plan")
    choose(page, "Lists", "News", "Newsletter")
    expect(dialog.get_by_text("5 people will get it")).to_be_visible()
    expect(dialog.get_by_text("Unsubscribed: 1")).to_be_visible()
    visit.assert_accessible()
    visit.shoot("wizard-targets")
    dialog.get_by_role("button", name="Next Step").click()

    write(visit)
    visit.assert_accessible()
    visit.shoot("wizard-content")
    dialog.get_by_role("button", name="Next Step").click()
    expect(dialog.locator("iframe")).to_be_visible()
    expect(page.frame_locator("dialog iframe").get_by_text("read on")).to_be_visible()
    visit.assert_accessible()
    dialog.get_by_label("Show").select_option("raw")
    expect(dialog.get_by_text("List-Unsubscribe=One-Click")).to_be_visible()
    dialog.get_by_role("button", name="Send test").click()
    expect(dialog.get_by_text("250 2.0.0 Kept in the sandbox mailbox")).to_be_visible()
    visit.shoot("wizard-review")
    dialog.get_by_role("button", name="Send", exact=True).click()
    asked = page.get_by_text("Send this broadcast to 5 people now?")
    expect(asked).to_be_visible()
    page.locator("dialog.small").get_by_role("button", name="Send").click()

    expect(page.get_by_role("heading", name="0 of 5")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    visit.assert_accessible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    visit.shoot("broadcast-sending")
    in_thread(run_due)
    expect(page.get_by_text("Finished")).to_be_visible()
    expect(page.get_by_role("heading", name="5 of 5")).to_be_visible()
    assert sorted(Delivery.objects.values_list("address", "state")) == [
        ("chloe@example.net", "sent"),
        ("dmitri@example.net", "skipped"),
        ("reader0@example.com", "sent"),
        ("reader0@example.net", "sent"),
        ("reader1@example.com", "sent"),
        ("reader1@example.net", "sent"),
    ]
    read_and_leave(visit, box)
    in_thread(flush_spool)
    look_at_the_numbers(visit)


def read_and_leave(visit: Visit, box: Mailbox) -> None:
    """Chloé opens her message in the sandbox mailbox, follows its link, and leaves."""
    page = visit.page
    visit.open("/sandbox/")
    visit.assert_accessible()
    page.get_by_role("link", name="News for Chloé").first.click()
    letter = page.frame_locator("iframe")
    expect(letter.get_by_text("Dear Chloé")).to_be_visible()
    visit.shoot("sandbox-message")
    with page.expect_popup() as opened:
        letter.get_by_role("link", name="read on").click()
    opened.value.wait_for_load_state()
    with page.expect_popup() as opened:
        letter.get_by_role("link", name="View in your browser").click()
    expect(opened.value.locator("body")).to_contain_text("Dear Chloé")
    with page.expect_popup() as opened:
        letter.get_by_role("link", name="Unsubscribe").click()
    leaving = opened.value
    assert not Suppression.objects.filter(address_key="chloe@example.net").exists()
    leaving.get_by_role("button", name="Unsubscribe").first.click()
    expect(leaving.locator("body")).to_contain_text("unsubscribed")
    assert Suppression.objects.filter(address_key="chloe@example.net").count() == 1


def look_at_the_numbers(visit: Visit) -> None:
    page, broadcast = visit.page, Broadcast.objects.get()
    visit.open(f"/broadcasts/{broadcast.pk}/")
    for label, number in (
        ("Sent", "5"),
        ("Opened", "1"),
        ("Clicked", "1"),
        ("Unsubscribed", "1"),
        ("Failed", "0"),
        ("Skipped", "1"),
    ):
        card = page.locator(".stat").filter(has=page.get_by_text(label, exact=True))
        expect(card.locator(".stat-value")).to_have_text(number)
    page.mouse.wheel(0, 4000)
    expect(page.frame_locator("iframe").get_by_text("read on")).to_be_visible()
    visit.assert_accessible()
    visit.shoot("broadcast-finished")
    page.get_by_role("link", name="Recipients").click()
    visit.ready()
    visit.assert_accessible()
    row = page.get_by_role("row").filter(has_text="chloe@example.net")
    for what in ("Opened", "Clicked", "Unsubscribed"):
        expect(row).to_contain_text(what)
    expect(page.get_by_role("row").filter(has_text="dmitri@example.net")).to_contain_text("Skipped")
    visit.shoot("broadcast-recipients")


def test_the_wizard_and_the_page_fit_a_small_screen(
    visit: Visit, organisation: None, signed_in: Callable[..., Visit]
) -> None:
    signed_in(Role.EDITOR)
    page = visit.page
    page.set_viewport_size({"width": SMALL["width"], "height": SMALL["height"]})
    visit.open("/broadcasts/")
    visit.assert_fits()
    page.get_by_role("link", name="Add").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Next Step").click()
    choose(page, "Lists", "News", "Newsletter")
    expect(dialog.get_by_text("2 people will get it")).to_be_visible()
    visit.assert_fits()
    visit.shoot("wizard-targets-small")
    dialog.get_by_role("button", name="Next Step").click()
    write(visit)
    visit.shoot("wizard-content-small")
    dialog.get_by_role("button", name="Next Step").click()
    expect(dialog.locator("iframe")).to_be_visible()
    visit.assert_fits()
    visit.shoot("wizard-review-small")
    dialog.get_by_role("button", name="Send", exact=True).click()
    page.locator("dialog.small").get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="0 of 2")).to_be_visible()
    visit.assert_fits()
    visit.shoot("broadcast-small")


def test_every_page_can_be_read_in_the_dark(visit: Visit, organisation: None, signed_in: Callable[..., Visit]) -> None:
    """The steps as whole pages, as they are without script or in a new tab; the broadcast before and after."""
    ada = signed_in(Role.OWNER, theme="dark")
    broadcast = make_draft(*List.objects.all(), identity=SenderIdentity.objects.get(), layout=Layout.objects.get())
    pages = [f"/broadcasts/{broadcast.pk}/{step}" for step in ("targets/", "content/", "review/", "preview/?view=text")]
    for path in ("/broadcasts/", "/broadcasts/new/", *pages):
        ada.open(path)
        ada.assert_accessible()
    in_thread(lambda: send(broadcast, actor=None))
    in_thread(run_due)
    for path in ("", "recipients/", "recipients/?state=failed"):
        ada.open(f"/broadcasts/{broadcast.pk}/{path}")
        ada.assert_accessible()
    ada.open(f"/broadcasts/{broadcast.pk}/")
    ada.shoot("broadcast-dark")
