"""Pages of the frame as people meet them: with a screen reader, by keyboard, on a telephone, in the dark."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.core.cache import cache
from playwright.sync_api import Browser, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from envoi.accounts.models import AuditEntry, User
from tests import browser as chromium
from tests.browser import SMALL, WIDE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Person = Callable[..., User]
SignedIn = Callable[..., Visit]

PAGES = [
    "/",
    "/account/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/settings/",
    "/settings/general/",
    "/settings/users/",
    "/settings/users/new/",
    "/settings/api-keys/",
    "/settings/api-keys/new/",
    "/settings/dashboards/",
    "/settings/dashboards/new/",
    "/settings/audit/",
    "/settings/sending/",
    "/settings/sending/transports/new/",
    "/settings/sending/senders/new/",
    "/settings/sending/signing/",
    "/settings/sending/signing/new/",
    "/broadcasts/",
    "/broadcasts/new/",
    "/contacts/",
    "/contacts/new/",
    "/contacts/imports/new/",
    "/contacts/suppressions/",
    "/contacts/fields/",
    "/audiences/lists/",
    "/audiences/lists/new/",
    "/audiences/products/",
    "/audiences/products/new/",
    "/layouts/",
    "/layouts/new/",
    "/sandbox/",
]


@pytest.mark.parametrize(("theme", "window"), [("light", SMALL), ("dark", WIDE)])
def test_every_page_is_accessible_and_fits_its_window_when_there_is_nothing_yet(
    browser: Browser, live_server: LiveServer, person: Person, theme: str, window: ViewportSize
) -> None:
    ada = person("Ada", theme=theme)
    with chromium.visiting(browser, live_server.url, viewport=window) as visit:
        visit.sign_in(ada)
        for path in PAGES:
            visit.open(path)
            assert visit.page.evaluate("document.documentElement.dataset.bsTheme") == theme
            visit.assert_fits()
            visit.assert_accessible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_page_follows_the_device_and_is_accessible(
    browser: Browser, live_server: LiveServer, scheme: str
) -> None:
    with chromium.visiting(browser, live_server.url, color_scheme=scheme, viewport=SMALL) as visit:
        visit.open("/accounts/login/")
        assert visit.page.evaluate("document.documentElement.dataset.bsTheme") == scheme
        visit.assert_fits()
        visit.assert_accessible()


def test_ada_signs_in_with_the_keyboard_alone_and_skips_to_the_content(visit: Visit, person: Person) -> None:
    person("Ada")
    page = visit.open("/accounts/login/")
    expect(page.get_by_label("Email")).to_be_focused()
    page.keyboard.type("ada@example.org")
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome, Ada")
    visit.ready()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(visit: Visit, person: Person) -> None:
    person("Ada")
    answers = []
    for address in ["ada@example.org", "nobody@example.org"]:
        page = visit.open("/accounts/login/")
        page.get_by_label("Email").fill(address)
        page.get_by_label("Password", exact=False).first.fill("wrong horse battery")
        page.get_by_role("button", name="Sign in", exact=True).click()
        answers.append(page.get_by_role("alert").inner_text())
    assert answers[0] == answers[1] != ""


def test_bob_with_a_one_time_password_must_choose_his_own_first(visit: Visit, person: Person) -> None:
    bob = person("Bob", must_change_password=True)
    visit.sign_in(bob)
    page = visit.open("/contacts/")
    assert page.url.endswith("/accounts/password/change/")
    visit.assert_accessible()
    page.locator("[name=oldpassword]").fill("correct horse battery")
    page.locator("[name=password1]").fill("seven green bicycles")
    page.locator("[name=password2]").fill("seven green bicycles")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome, Bob")
    bob.refresh_from_db()
    assert not bob.must_change_password
    assert bob.check_password("seven green bicycles")
    assert [entry.verb for entry in AuditEntry.objects.all()] == ["change_password"]


def test_a_menu_opens_and_closes_by_keyboard_and_changes_the_language(signed_in: SignedIn) -> None:
    visit = signed_in()
    page = visit.open("/account/")
    button = page.get_by_role("button", name="Language")
    button.press("ArrowDown")
    expect(button).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")
    button.click()
    page.get_by_role("button", name="Nederlands").click()
    expect(page.locator("html")).to_have_attribute("lang", "nl")
    assert User.objects.get().language == "nl"


def test_on_a_telephone_the_sidebar_is_behind_a_button(
    browser: Browser, live_server: LiveServer, person: Person
) -> None:
    ada = person("Ada")
    with chromium.visiting(browser, live_server.url, viewport=SMALL) as visit:
        visit.sign_in(ada)
        page = visit.open("/")
        expect(page.get_by_role("link", name="Settings")).to_be_hidden()
        page.get_by_role("button", name="Menu").click()
        visit.assert_accessible()
        page.get_by_role("link", name="Settings").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Settings")


def test_deactivating_somebody_asks_first(signed_in: SignedIn, person: Person) -> None:
    chloe = person("Chloé", role="viewer")
    visit = signed_in()
    page = visit.open("/settings/users/")
    row = page.get_by_role("row").filter(has_text="Chloé")
    row.get_by_role("button", name="Deactivate").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Chloé is signed out at once")
    visit.assert_accessible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    chloe.refresh_from_db()
    assert chloe.is_active
    row.get_by_role("button", name="Deactivate").click()
    page.get_by_role("dialog").get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("Chloé can no longer sign in.")).to_be_visible()
    chloe.refresh_from_db()
    assert not chloe.is_active


def test_dmitri_adds_a_passkey_and_signs_in_with_it(visit: Visit, person: Person) -> None:
    person("Dmitri")
    page = visit.open("/accounts/login/")
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    key = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": key})
    page.get_by_label("Email").fill("dmitri@example.org")
    page.locator("[name=password]").fill("correct horse battery")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome, Dmitri")
    visit.open("/accounts/2fa/webauthn/add/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm Access")
    visit.assert_accessible()
    page.locator("[name=password]").fill("correct horse battery")
    page.get_by_role("button", name="Confirm").click()
    page.locator("[name=name]").fill("My laptop")
    page.locator("[name=passwordless]").check()
    page.locator("#mfa_webauthn_add").click()
    expect(page.get_by_text("My laptop").or_(page.get_by_text("Recovery Codes")).first).to_be_visible()
    page.context.clear_cookies()
    visit.open("/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome, Dmitri")


def test_asa_protects_her_account_with_an_authenticator_app(visit: Visit, person: Person) -> None:
    asa = person("Åsa")
    visit.sign_in(asa)
    page = visit.open("/accounts/2fa/totp/activate/")
    page.locator("[name=password]").fill("correct horse battery")
    page.get_by_role("button", name="Confirm").click()
    visit.ready()
    visit.assert_accessible()
    visit.assert_fits()
    secret = page.get_by_label("Authenticator secret").input_value()
    page.locator("[name=code]").fill(code(secret))
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_text("recovery codes available").first).to_be_visible()
    stored = Authenticator.objects.get(user=asa, type=Authenticator.Type.TOTP).data["secret"]
    assert secret not in stored
    visit.ready()
    visit.assert_accessible()
    page.context.clear_cookies()
    visit.open("/accounts/login/")
    page.get_by_label("Email").fill("asa@example.org")
    page.locator("[name=password]").fill("correct horse battery")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Two-Factor Authentication")
    visit.ready()
    visit.assert_accessible()
    cache.clear()  # a code is good once; within the same half minute the next sign-in gets the same
    page.locator("[name=code]").fill(code(secret))
    page.get_by_role("button", name="Sign In").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome, Åsa")


def code(secret: str) -> str:
    """What an authenticator app shows now (RFC 6238), by another implementation than the one that checks it."""
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(int(time.time())).decode()
