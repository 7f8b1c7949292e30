"""The script tag on somebody else's page, under a strict content security policy, on another origin."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from envoi.contacts.models import Contact
from envoi.core import clock
from envoi.notices import actions, identity
from envoi.notices.models import Reading
from envoi.notices.tests.factories import make_notice
from envoi.public.tests.dashboards import Site, make_site
from tests.browser import SMALL, Visit, in_thread
from tests.dashboards.host import Host, asked, written_down

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Opened = Callable[..., Page]


@pytest.fixture
def shop(host: Host, transactional_db: None) -> Site:
    return make_site("Shop", host.url)


@pytest.fixture
def open_shop(host: Host, shop: Site, live_server: LiveServer, visit: Visit) -> Opened:
    """The shop's page as Ada's browser shows it."""

    def opened(customer: str = "mail:ada@example.net", *, language: str = "en", here: str = "", **data: str) -> Page:
        until = int((clock.now() + timedelta(hours=1)).timestamp())
        attributes = {
            "data-key": shop.key.key,
            "data-customer": customer,
            "data-expires": str(until),
            "data-signature": identity.sign(shop.secret, customer, until),
            **{f"data-{name}": value for name, value in data.items()},
        }
        visit.page.emulate_media(reduced_motion="reduce")
        visit.page.goto(host.show(live_server.url, attributes, language=language, here=here))
        return visit.page

    return opened


def test_a_notice_comes_is_read_and_dismissed_by_keyboard(ada: Contact, open_shop: Opened, visit: Visit) -> None:
    first = make_notice(ada, subject="Maintenance tonight", level="warning")
    second = make_notice(ada, subject="New prices", link_label="See them", link_url="https://example.org/prices")
    page = open_shop()
    region = page.get_by_role("region", name="Notices")
    expect(region.get_by_role("article")).to_have_count(2)
    expect(region.get_by_role("heading")).to_have_text(["Warning: Maintenance tonight", "Information: New prices"])
    expect(region.get_by_role("link", name="See them")).to_have_attribute("href", "https://example.org/prices")
    visit.assert_accessible()
    visit.shoot("notices-script")
    region.get_by_role("button", name="Dismiss: Maintenance tonight").focus()
    with written_down(page, "dismissal"):
        page.keyboard.press("Enter")
    expect(region.get_by_role("article")).to_have_count(1)
    expect(region.get_by_role("article", name="New prices")).to_be_focused()
    page.keyboard.press("Tab")
    expect(region.get_by_role("link", name="See them")).to_be_focused()
    page.keyboard.press("Tab")
    with written_down(page, "dismissal"):
        page.keyboard.press("Space")
    expect(region).to_be_hidden()
    expect(page.get_by_role("status")).to_have_text("Dismissed.")
    expect(page.locator("envoi-notices")).to_be_focused()
    visit.assert_accessible()
    with asked(page):
        page.reload()
    expect(page.get_by_role("article")).to_have_count(0)
    assert {reading.notice_id for reading in Reading.objects.exclude(dismissed_at=None)} == {first.pk, second.pk}
    assert page.context.cookies() == []


def test_five_seconds_of_the_page_bring_a_new_notice(ada: Contact, open_shop: Opened, visit: Visit) -> None:
    make_notice(ada, subject="First of all")
    visit.page.clock.install(time=0)
    visit.page.clock.pause_at(60)
    page = open_shop()
    # It waits for its next question from the moment in which it shows the answer to the last.
    expect(page.get_by_role("article", name="First of all")).to_be_visible()
    make_notice(ada, subject="Right now")
    page.clock.run_for(5_000)
    expect(page.get_by_role("article", name="Right now")).to_be_visible()


def test_an_open_page_shows_a_new_notice_and_loses_a_withdrawn_one(ada: Contact, open_shop: Opened) -> None:
    page = open_shop()
    expect(page.locator("envoi-notices")).to_be_attached()
    notice = make_notice(ada, subject="Right now")
    expect(page.get_by_role("article", name="Right now")).to_be_visible()
    actions.change(notice, subject="Right now, again", actor=None)
    expect(page.get_by_role("article", name="Right now, again")).to_be_visible()
    actions.withdraw(notice, actor=None)
    expect(page.get_by_role("article")).to_have_count(0)
    assert list(Reading.objects.values_list("notice", "contact")) == [(notice.pk, ada.pk)]


def test_an_open_page_shows_again_what_the_operator_gives_back(ada: Contact, open_shop: Opened) -> None:
    make_notice(ada, subject="Right now")
    page = open_shop()
    with written_down(page, "dismissal"):
        page.get_by_role("button", name="Dismiss: Right now").click()
    expect(page.get_by_role("article")).to_have_count(0)
    actions.undo_dismissal(Reading.objects.get(), actor=None)
    expect(page.get_by_role("article")).to_have_count(1)


def test_what_is_given_back_before_the_page_has_asked_again_is_shown(ada: Contact, open_shop: Opened) -> None:
    make_notice(ada, subject="Right now")
    page = open_shop()

    def give_back(route: Route) -> None:
        answer = route.fetch()
        in_thread(lambda: actions.undo_dismissal(Reading.objects.get(), actor=None))
        route.fulfill(response=answer)

    page.route("**/dismissal", give_back)
    with written_down(page, "dismissal"):
        page.get_by_role("button", name="Dismiss: Right now").click()
    expect(page.get_by_role("article")).to_have_count(1)


def test_nothing_on_the_page_moves(ada: Contact, open_shop: Opened) -> None:
    make_notice(ada)
    page = open_shop()
    before = page.locator("#first").bounding_box()
    expect(page.get_by_role("article")).to_have_count(1)
    assert page.locator("#first").bounding_box() == before
    page.get_by_role("button", name="1 notice").click()
    expect(page.get_by_role("article")).to_have_count(0)
    page.get_by_role("button", name="1 notice").click()
    expect(page.get_by_role("article")).to_have_count(1)


def test_the_page_may_say_where_and_reserve_the_room(ada: Contact, open_shop: Opened) -> None:
    make_notice(ada)
    page = open_shop(here="<envoi-notices></envoi-notices><p id=after>After</p>", place="here", reserve="200px")
    box = page.locator("#after").bounding_box()
    expect(page.locator("main").get_by_role("article")).to_have_count(1)
    assert page.locator("#after").bounding_box() == box
    assert box is not None
    assert box["y"] > 300


def test_it_fits_a_telephone_and_speaks_the_pages_language(ada: Contact, open_shop: Opened, visit: Visit) -> None:
    visit.page.set_viewport_size(SMALL)
    make_notice(ada, subject="Underhåll " + "lång" * 30, must_acknowledge=True, level="error")
    page = open_shop(language="sv")
    region = page.get_by_role("region", name="Meddelanden")
    expect(region.get_by_role("heading")).to_contain_text("Viktigt:")
    visit.assert_fits()
    visit.assert_accessible()
    visit.shoot("notices-script-small")
    with written_down(page, "acknowledgement"):
        region.get_by_role("button", name="Jag har läst detta").click()
    expect(page.get_by_role("article")).to_have_count(0)


def test_more_than_five_are_shown_on_request(ada: Contact, open_shop: Opened) -> None:
    for number in range(7):
        make_notice(ada, subject=f"Number {number}")
    page = open_shop()
    expect(page.get_by_role("article")).to_have_count(5)
    page.get_by_role("button", name="Show 2 more").click()
    expect(page.get_by_role("article")).to_have_count(7)


def test_in_the_dark_it_is_read_as_well(ada: Contact, open_shop: Opened, visit: Visit) -> None:
    for level in ("info", "success", "warning", "error"):
        make_notice(ada, subject=level, level=level, link_label="More", link_url="https://example.org")
    page = open_shop(theme="dark")
    expect(page.get_by_role("article")).to_have_count(4)
    visit.assert_accessible()
    visit.shoot("notices-script-dark")


PAYLOADS = (
    "<p>safe</p><script>alert(1)</script>",
    "<p>safe</p><img src=x onerror=alert(1)>",
    '<p>safe</p><a href="javascript:alert(1)">x</a>',
    '<p>safe</p><a href="JaVaScRiPt&colon;alert(1)">x</a><svg/onload=alert(1)>',
    "<p>safe</p><iframe srcdoc='<script>alert(1)</script>'></iframe><math><style><img src=x onerror=alert(1)>",
    '<p>safe</p><p onmouseover="alert(1)" style="position:fixed;inset:0">x</p>',
)


def test_no_payload_runs_even_past_the_servers_cleaning(
    ada: Contact, open_shop: Opened, visit: Visit, dialogs: list[str]
) -> None:
    for payload in PAYLOADS:
        made = make_notice(ada, subject=payload, body=payload)
        type(made).objects.filter(pk=made.pk).update(body=payload, link_label="x", link_url="javascript:alert(1)")
    page = open_shop(place="here", here="<envoi-notices></envoi-notices>")
    expect(page.get_by_role("article")).to_have_count(5)
    page.get_by_role("button", name="Show 1 more").click()
    expect(page.get_by_role("article")).to_have_count(len(PAYLOADS))
    article = page.locator("envoi-notices")
    for inside in ("script", "img", "iframe", "svg", "[onmouseover]", "[style]", "a[href]"):
        assert article.locator(inside).count() == 0, inside
    for link in article.locator("a").all():
        link.click()
    assert dialogs == []


def let_pass(page: Page, seconds: int) -> None:
    """Time for the page, whose clock the test has; a moment for the network after each second."""
    for _ in range(seconds):
        page.clock.run_for(1000)
        page.wait_for_timeout(20)


def test_a_signature_that_does_not_hold_shows_nothing_until_a_fresh_one_comes(
    ada: Contact, open_shop: Opened, visit: Visit, shop: Site
) -> None:
    make_notice(ada)
    asked: list[str] = []
    visit.page.on(
        "request", lambda request: asked.append(request.url) if "/n/v1/notices?" in request.url + "?" else None
    )
    visit.page.clock.install()
    page = open_shop(signature="0" * 64)
    let_pass(page, seconds=60)
    expect(page.get_by_role("article")).to_have_count(0)
    assert len(asked) == 1
    until = int((clock.now() + timedelta(hours=1)).timestamp())
    fresh = identity.sign(shop.secret, "mail:ada@example.net", until)
    page.locator("envoi-notices").evaluate(
        "(one, [until, signature]) => Object.assign(one.dataset, { expires: until, signature })", [str(until), fresh]
    )
    expect(page.get_by_role("article")).to_have_count(1)
    visit.allow("403")


def test_the_same_tag_twice_shows_everything_once(
    ada: Contact, open_shop: Opened, shop: Site, live_server: LiveServer
) -> None:
    make_notice(ada)
    until = int((clock.now() + timedelta(hours=2)).timestamp())
    page = open_shop(
        here=f'<script src="{live_server.url}/n/v1/notices.js" defer data-key="{shop.key.key}"'
        f' data-customer="mail:ada@example.net" data-expires="{until}"'
        f' data-signature="{identity.sign(shop.secret, "mail:ada@example.net", until)}"></script>'
    )
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.locator("envoi-notices")).to_have_count(1)


def test_while_envoi_is_away_the_page_is_quiet(ada: Contact, open_shop: Opened, visit: Visit) -> None:
    make_notice(ada)
    visit.page.route("**/n/v1/notices", lambda route: route.abort())
    visit.page.clock.install()
    page = open_shop()
    let_pass(page, seconds=5)
    expect(page.get_by_role("heading", name="Your orders")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(0)
    assert all("Failed to load resource" in complaint for complaint in visit.complaints)
    visit.complaints.clear()
    visit.page.unroute("**/n/v1/notices")
    let_pass(page, seconds=15)
    expect(page.get_by_role("article")).to_have_count(1)
