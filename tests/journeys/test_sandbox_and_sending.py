"""An owner looks at the sandbox mailbox and sets up the mail server, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from envoi.accounts.models import Theme
from envoi.delivery.actions import setup
from envoi.delivery.models import SenderIdentity
from envoi.delivery.sandbox.store import Received, mailbox
from tests.browser import SMALL, Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HTML = (
    '<html lang="en"><head><title>x</title></head><body><h1>Hello Ada</h1><script>document.title="hacked"</script>'
    '<p><a href="https://example.org/">Read more</a></p></body></html>'
)
RAW = (
    "From: Lantern <news@example.org>\r\nTo: ada@example.net\r\nSubject: {subject}\r\n"
    "List-Unsubscribe: <http://localhost:8025/u/forged>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello Ada\r\n"
    "--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + HTML + "\r\n--b--\r\n"
)


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Path) -> Path:
    settings.ENVOI_DATA = tmp_path
    return tmp_path


def arrives(subject: str) -> int:
    raw = RAW.format(subject=subject).encode()
    return mailbox().add([Received(datetime(2026, 11, 20, tzinfo=UTC), "b@example.org", "ada@example.net", raw)])[0]


@pytest.mark.parametrize("theme", [Theme.LIGHT, Theme.DARK])
def test_mail_appears_by_itself_and_opens_as_the_reader_sees_it(signed_in: Callable[..., Visit], theme: str) -> None:
    visit = signed_in(theme=theme)
    page = visit.open("/sandbox/")
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    visit.assert_accessible()

    arrives("The first of all")
    page.get_by_role("link", name="The first of all").click()

    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Hello Ada")).to_be_visible()
    expect(frame.get_by_role("link", name="Read more")).to_have_attribute("href", "https://example.org/")
    visit.allow("script")  # the script in the message was blocked, as it must be
    visit.assert_accessible()
    visit.shoot(f"sandbox-message-{theme}")
    page.get_by_role("link", name="Headers").click()
    expect(page.get_by_role("cell", name="List-Unsubscribe=One-Click")).to_be_visible()
    visit.allow("script")


def test_everything_is_deleted_only_after_a_question(signed_in: Callable[..., Visit]) -> None:
    arrives("One")
    visit = signed_in()
    page = visit.open("/sandbox/")

    page.get_by_role("button", name="Delete all").click()
    page.get_by_role("button", name="Cancel").click()
    assert mailbox().count() == 1

    page.get_by_role("button", name="Delete all").click()
    page.locator("dialog[open] button[value=yes]").click()
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    assert mailbox().count() == 0


@pytest.mark.parametrize("theme", [Theme.LIGHT, Theme.DARK])
def test_the_mail_server_is_set_up_and_tried(signed_in: Callable[..., Visit], theme: str) -> None:
    setup.ensure_defaults()
    visit = signed_in(theme=theme)
    page = visit.open("/settings/sending/")
    page.get_by_role("link", name="Main").click()
    visit.ready()
    expect(page.get_by_label("Host")).to_be_hidden()

    page.get_by_label("SMTP relay").check()
    page.get_by_label("Host").fill("127.0.0.1")
    page.get_by_label("Port", exact=True).fill("1")
    page.get_by_label("Encryption").select_option("none")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The settings are saved")).to_be_visible()
    page.get_by_role("button", name="Send test").click()

    expect(page.get_by_text("Nothing answers at this host and port")).to_be_visible()
    visit.assert_accessible()
    visit.shoot(f"sending-{theme}")
    assert SenderIdentity.objects.get(is_default=True).transport.host == "127.0.0.1"


@pytest.mark.parametrize("path", ["/sandbox/", "/settings/sending/", "message"])
def test_the_pages_fit_a_telephone(signed_in: Callable[..., Visit], path: str) -> None:
    number = arrives("A rather long subject that goes on and on, Donaudampfschifffahrtsgesellschaftskapitän included")
    visit = signed_in()
    visit.page.set_viewport_size({"width": SMALL["width"], "height": SMALL["height"]})

    visit.open(f"/sandbox/{number}/?view=text" if path == "message" else path)

    visit.assert_fits()
    visit.shoot(f"small-{path.strip('/').replace('/', '-')}")
