"""Notices as WordPress's own on the dashboards of a real multisite, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, Response, expect
from pytest_django.live_server_helper import LiveServer

from envoi.contacts.models import Contact
from envoi.delivery.tests.factories import make_contact, make_list
from envoi.notices import actions
from envoi.notices.models import Notice, Reading
from envoi.notices.tests.factories import make_notice
from envoi.public.tests.dashboards import Site, make_site
from tests import browser as chromium
from tests.browser import SMALL, Visit
from tests.dashboards import wordpress
from tests.dashboards.test_script_tag import PAYLOADS
from tests.dashboards.wordpress import PASSWORD, Network

pytestmark = [
    pytest.mark.wordpress,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("wordpress"),
]


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    if gone := wordpress.missing():
        pytest.skip(f"not installed (Debian: apt-get install {' '.join(gone)})")
    with wordpress.running() as network:
        yield network


@pytest.fixture
def shop(transactional_db: None) -> Site:
    return make_site("Network", "")


Enter = Callable[[str], Visit]


@pytest.fixture
def enter(browser: Browser, network: Network) -> Iterator[Enter]:
    """`enter("bob")`: the visit of somebody who is signed in to WordPress."""
    with chromium.visiting(browser, network.url) as visit:

        def entered(name: str) -> Visit:
            sign_in(visit.page, f"{network.url}/wp-login.php", name)
            return visit

        yield entered
    assert network.complaints() == []


def sign_in(page: Page, url: str, name: str) -> None:
    """Without the form, whose scripts move the focus while somebody types."""
    page.request.get(url)
    answer = page.request.post(url, form={"log": name, "pwd": PASSWORD, "testcookie": "1"}, max_redirects=0)
    assert answer.status == 302


def set_up(page: Page, network: Network, envoi: str, site: Site, secret: str = "") -> None:
    page.goto(f"{network.url}/wp-admin/network/settings.php?page=envoi-notices")
    page.get_by_label("Address of Envoi").fill(envoi)
    page.get_by_label("Site key").fill(site.key.key)
    page.get_by_label("Secret").fill(secret or site.secret)
    page.get_by_role("button", name="Save Changes").click()


@pytest.fixture
def connected(enter: Enter, network: Network, live_server: LiveServer, shop: Site, ada: Contact) -> Visit:
    """The network's administrator connected it with Envoi."""
    visit = enter("ada")
    set_up(visit.page, network, live_server.url, shop)
    expect(visit.page.get_by_text("Envoi answers.")).to_be_visible()
    return visit


@pytest.fixture
def bob(transactional_db: None) -> Contact:
    return make_contact("bob@example.net", first_name="Bob")


def dashboard(visit: Visit, network: Network, name: str = "bob") -> Page:
    """The dashboard of Bob's site, to somebody who signs in anew."""
    page = visit.page
    # What the page of whoever was signed in before asks by itself would be refused, and complained about.
    page.goto("about:blank")
    page.context.clear_cookies()
    sign_in(page, f"{network.url}/garden/wp-login.php", name)
    page.goto(f"{network.url}/garden/wp-admin/")
    page.wait_for_load_state("networkidle")
    return page


def reload(page: Page) -> None:
    """Until it has told what was seen, too."""
    page.reload()
    page.wait_for_load_state("networkidle")


def shown(page: Page) -> list[str]:
    return page.locator(".envoi-notice strong").all_text_contents()


def of(deed: str) -> Callable[[Response], bool]:
    """The answer to what was told of `deed`."""
    return lambda answer: f"deed={deed}" in (answer.request.post_data or "")


def test_the_administrator_connects_the_network(
    enter: Enter, network: Network, live_server: LiveServer, shop: Site, ada: Contact
) -> None:
    visit = enter("ada")
    set_up(visit.page, network, live_server.url, shop, secret="wrong")
    expect(visit.page.get_by_text("Envoi does not accept this key and secret.")).to_be_visible()
    set_up(visit.page, network, "http://127.0.0.1:9", shop)
    expect(visit.page.get_by_text("Envoi cannot be reached at this address.")).to_be_visible()
    set_up(visit.page, network, live_server.url, shop)
    expect(visit.page.get_by_text("Envoi answers.")).to_be_visible()
    assert shop.secret not in visit.page.content()
    visit.shoot("wordpress-settings")


def test_bob_sees_his_notices_on_his_site_and_dismisses_one_by_keyboard(
    connected: Visit, network: Network, ada: Contact, bob: Contact
) -> None:
    everybody = make_list("Everybody", ada, bob)
    make_notice(everybody, subject="Maintenance tonight", level="warning")
    make_notice(bob, subject="Confirm your address", level="error", must_acknowledge=True)
    make_notice(bob, subject="New prices", level="success", link_label="See them", link_url="https://example.org/p")
    make_notice(ada, subject="For Ada alone")
    page = dashboard(connected, network)
    assert shown(page) == [
        "Important: Confirm your address",
        "Warning: Maintenance tonight",
        "Good news: New prices",
    ]
    expect(page.locator(".notice-warning.envoi-notice")).to_be_visible()
    expect(page.get_by_role("link", name="See them")).to_have_attribute("href", "https://example.org/p")
    connected.shoot("wordpress-dashboard")
    page.locator(".notice-warning.envoi-notice").get_by_role("button", name="Dismiss this notice.").focus()
    with page.expect_response(of("dismissal")) as told:
        page.keyboard.press("Enter")
    assert told.value.ok
    with page.expect_response(of("acknowledgement")):
        page.get_by_role("button", name="I have read this").click()
    reload(page)
    assert shown(page) == ["Good news: New prices"]
    mine = Reading.objects.filter(contact=bob)
    assert (mine.count(), mine.exclude(dismissed_at=None).count(), mine.exclude(acknowledged_at=None).count()) == (
        3,
        1,
        1,
    )
    assert not Reading.objects.filter(contact=ada, notice__subject="New prices").exists()


def test_a_notice_is_there_at_the_next_page_and_gone_at_the_next(
    connected: Visit, network: Network, bob: Contact
) -> None:
    page = dashboard(connected, network)
    assert shown(page) == []
    notice = make_notice(bob, subject="Right now")
    reload(page)
    assert shown(page) == ["Information: Right now"]
    reload(page)
    assert shown(page) == ["Information: Right now"]
    actions.withdraw(notice, actor=None)
    reload(page)
    assert shown(page) == []


def test_an_open_dashboard_shows_a_new_notice_by_itself_and_loses_it(
    connected: Visit, network: Network, bob: Contact
) -> None:
    page = dashboard(connected, network)
    notice = make_notice(bob, subject="Right now", level="warning")
    article = page.locator(".notice-warning.envoi-notice")
    expect(article).to_be_visible()
    actions.change(notice, actor=None, subject="Right then")
    expect(article).to_contain_text("Right then")
    with page.expect_response(of("dismissal")) as told:
        article.get_by_role("button", name="Dismiss this notice.").click()
    assert told.value.ok
    expect(article).to_have_count(0)
    other = make_notice(bob, subject="One more", level="error")
    expect(page.locator(".notice-error.envoi-notice")).to_be_visible()
    actions.undo_dismissal(Reading.objects.get(notice=notice), actor=None)
    expect(article).to_contain_text("Right then")
    assert shown(page) == ["Important: One more", "Warning: Right then"]
    actions.withdraw(other, actor=None)
    actions.end_now(notice, actor=None)
    expect(page.locator(".envoi-notice")).to_have_count(0)


def test_the_rest_is_shown_on_request(connected: Visit, network: Network, bob: Contact) -> None:
    for number in range(7):
        make_notice(bob, subject=f"Number {number}")
    page = dashboard(connected, network)
    assert len(shown(page)) == 5
    page.get_by_role("button", name="Show all notices (+2)").click()
    expect(page.locator(".envoi-notice")).to_have_count(7)
    expect(page.get_by_role("button", name="Show all notices")).to_have_count(0)


def test_on_a_telephone_it_fits_and_our_part_is_accessible(connected: Visit, network: Network, bob: Contact) -> None:
    connected.page.set_viewport_size(SMALL)
    make_notice(bob, subject="Maintenance" * 20, link_label="More", link_url="https://example.org", level="warning")
    page = dashboard(connected, network)
    box = page.locator(".envoi-notice").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= SMALL["width"]
    assert page.locator(".envoi-notice").evaluate("one => one.scrollWidth <= one.clientWidth")
    found = Axe().run(page, context=".envoi-notice").response["violations"]
    assert [rule["id"] for rule in found] == []
    connected.shoot("wordpress-small")


def test_chloe_reads_the_plugins_own_words_in_french(
    connected: Visit, network: Network, transactional_db: None
) -> None:
    make_notice(make_contact("chloe@example.net"), subject="Entretien ce soir", level="warning", must_acknowledge=True)
    page = dashboard(connected, network, "chloe")
    assert shown(page) == ["Avertissement: Entretien ce soir"]
    expect(page.get_by_role("button", name="J’ai lu ce message")).to_be_visible()


def test_no_payload_runs(connected: Visit, network: Network, bob: Contact) -> None:
    opened: list[str] = []

    def note(dialog: Dialog) -> None:
        opened.append(dialog.message)
        dialog.dismiss()

    connected.page.on("dialog", note)
    for payload in PAYLOADS[:5]:
        made = make_notice(bob, subject=payload, body="<p>safe</p>")
        Notice.objects.filter(pk=made.pk).update(body=payload, link_label="x", link_url="javascript:alert(1)")
    page = dashboard(connected, network)
    assert len(shown(page)) == 5
    notices = page.locator(".envoi-notice")
    for inside in ("script", "img", "iframe", "svg", "[onmouseover]", "[style]", 'a[href^="javascript"]'):
        assert notices.locator(inside).count() == 0, inside
    assert opened == []


def test_without_the_pages_own_nonce_nothing_is_taken(connected: Visit, network: Network, bob: Contact) -> None:
    notice = make_notice(bob)
    page = dashboard(connected, network)
    answer = page.request.post(
        f"{network.url}/garden/wp-admin/admin-ajax.php",
        form={"action": "envoi_notices", "deed": "dismissal", "ids": notice.key, "_ajax_nonce": "0000000000"},
    )
    assert answer.status == 403
    assert not Reading.objects.exclude(dismissed_at=None).exists()


def test_while_envoi_is_away_dashboards_go_on(
    enter: Enter, network: Network, shop: Site, live_server: LiveServer
) -> None:
    visit = enter("ada")
    set_up(visit.page, network, "http://127.0.0.1:9", shop)
    visit.page.goto(f"{network.url}/garden/wp-admin/")
    expect(visit.page.get_by_role("heading", name="Dashboard", exact=True)).to_be_visible()
    assert shown(visit.page) == []
