"""The readers' pages in a real browser. Requests are answered by Django's test client: no server, no port."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import Empty, Queue
from typing import Literal, NamedTuple, TypeVar

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.http.response import HttpResponseBase
from django.test import Client
from playwright.sync_api import Dialog, Page, Route, sync_playwright

from envoi.audiences.models import Subscription
from envoi.contacts.models import Suppression
from envoi.delivery.models import Delivery, SenderIdentity
from envoi.tracking import links
from envoi.tracking.tests.factories import Author, make_sent, subscribe

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


Result = TypeVar("Result")


class Reader:
    """A telephone 360 pixels wide. Its browser lives in a thread of its own, since Playwright's loop and Django do not
    share one; what it asks for is answered in the test's thread and transaction, by Django's test client."""

    def __init__(self, browsing: ThreadPoolExecutor) -> None:
        self._browsing = browsing
        self._asked: Queue[tuple[Asked, Future[HttpResponseBase]]] = Queue()
        self._client = Client(HTTP_HOST="localhost:8025")

    def start(self) -> None:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        self._page = self._browser.new_page(viewport={"width": 360, "height": 740}, locale="en-GB")
        self._page.route("http://localhost:8025/**", self._ask)

    def stop(self) -> None:
        self._browser.close()
        self._playwright.stop()

    def do(self, steps: Callable[[Page], Result]) -> Result:
        """Take `steps` in the browser and answer its requests meanwhile."""
        done = self._browsing.submit(lambda: steps(self._page))
        while not done.done():
            try:
                request, answer = self._asked.get(timeout=0.02)
            except Empty:
                continue
            answer.set_result(self._answer(request))
        return done.result()

    def _ask(self, route: Route) -> None:
        request = route.request
        kind = request.header_value("content-type") or "text/plain"
        answer: Future[HttpResponseBase] = Future()
        self._asked.put((Asked(request.method, request.url, request.post_data or "", kind), answer))
        found = answer.result(timeout=120)
        route.fulfill(status=found.status_code, headers=dict(found.items()), body=b"".join(found))

    def _answer(self, asked: Asked) -> HttpResponseBase:
        path = asked.url.removeprefix("http://localhost:8025")
        if asked.method == "POST":
            return self._client.post(path, asked.body, content_type=asked.kind)
        return self._client.get(path, headers={"Accept-Language": "en"})


class Asked(NamedTuple):
    method: str
    url: str
    body: str
    kind: str


@pytest.fixture
def reader() -> Iterator[Reader]:
    with ThreadPoolExecutor(max_workers=1) as browsing:
        reader = Reader(browsing)
        browsing.submit(reader.start).result()
        yield reader
        browsing.submit(reader.stop).result()


def dialogs_of(page: Page) -> list[str]:
    """What a script of the page said aloud, from now on."""
    heard: list[str] = []

    def hear(dialog: Dialog) -> None:
        heard.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", hear)
    return heard


@pytest.fixture
def ada(author: Author) -> Delivery:
    delivery = make_sent(language="en")
    SenderIdentity.objects.update(from_name="Åsa’s bakery")
    author.list_ids = [subscribe(delivery, name).pk for name in ("Bread of the week", "Courses")]
    return delivery


class Look(NamedTuple):
    """What is wrong with a page: faults of accessibility, and whether it is wider than the screen."""

    faults: list[str]
    too_wide: bool


GOOD = Look([], False)


def look(page: Page, name: str) -> Look:
    """Look at the page; ENVOI_PICTURES names a folder to keep pictures in, for whoever wants to look too."""
    if os.environ.get("ENVOI_PICTURES"):
        page.screenshot(path=Path(os.environ["ENVOI_PICTURES"]) / f"{name}.png", full_page=True)
    found = Axe().run(page).response["violations"]
    return Look(
        [f"{fault['id']}: {fault['help']}" for fault in found],
        bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth")),
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_ada_leaves_by_keyboard_and_comes_back_and_every_page_is_accessible(
    reader: Reader, ada: Delivery, scheme: Literal["light", "dark"]
) -> None:
    def ask(page: Page) -> Look:
        page.emulate_media(color_scheme=scheme)
        page.goto(links.unsubscribe_url(ada.pk))
        return look(page, f"ask-{scheme}")

    def leave(page: Page) -> Look:
        page.get_by_label("All news and announcements from us").check()
        page.get_by_role("button", name="Unsubscribe").focus()
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="You are unsubscribed").wait_for()
        return look(page, f"left-{scheme}")

    def come_back(page: Page) -> Look:
        page.get_by_role("button", name="Subscribe again").click()
        page.get_by_role("heading", name="You are subscribed again").wait_for()
        return look(page, f"back-{scheme}")

    def leave_the_lists(page: Page) -> Look:
        page.get_by_role("link", name="Unsubscribe").click()
        page.get_by_role("button", name="Unsubscribe").click()
        page.get_by_text("no longer on these lists").wait_for()
        return look(page, f"lists-{scheme}")

    assert reader.do(ask) == GOOD
    assert reader.do(leave) == GOOD
    assert Suppression.objects.get().address_key == "ada@example.org"
    assert reader.do(come_back) == GOOD
    assert Suppression.objects.count() == 0
    assert reader.do(leave_the_lists) == GOOD
    assert set(Subscription.objects.values_list("status", flat=True)) == {"unsubscribed"}
    assert Suppression.objects.count() == 0


def test_each_language_can_be_chosen_and_the_page_says_in_which_it_is(reader: Reader, ada: Delivery) -> None:
    def choose(page: Page) -> list[str | None]:
        page.goto(links.unsubscribe_url(ada.pk))
        found = []
        for name in ("Français", "Nederlands", "Svenska", "English"):
            page.get_by_role("link", name=name).click()
            page.wait_for_url("**?lang=*")
            page.locator(f"a[aria-current]:text-is('{name}')").wait_for()
            found.append(page.locator("html").get_attribute("lang"))
        return found

    assert reader.do(choose) == ["fr", "nl", "sv", "en"]
    assert Suppression.objects.count() == 0


def test_nothing_in_a_message_acts_in_the_web_view(reader: Reader, ada: Delivery, author: Author) -> None:
    author.html = (
        "<!doctype html><html><head><title>Bread</title></head><body><h1>Bread</h1>"
        "<script>alert(1); document.title = 'taken'</script><img src=x onerror=alert(2)>"
        "<svg onload=alert(3)></svg><iframe src='javascript:alert(4)'></iframe>"
        f"<form method=post action='{links.unsubscribe_url(ada.pk)}'>"
        "<input type=hidden name=choice value=everything><button>Win</button></form></body></html>"
    )

    def read(page: Page) -> tuple[list[str], str, bool]:
        dialogs = dialogs_of(page)
        page.goto(links.webview_url(ada.pk))
        page.get_by_role("button", name="Win").click()
        page.wait_for_timeout(300)
        return dialogs, page.title(), page.get_by_role("heading", name="Bread").is_visible()

    assert reader.do(read) == ([], "Bread", True)
    assert Suppression.objects.count() == 0


def test_a_hostile_name_of_the_sender_does_nothing(reader: Reader, ada: Delivery) -> None:
    SenderIdentity.objects.update(from_name="</title><script>alert(1)</script>" + "W" * 90)

    def read(page: Page) -> tuple[list[str], Look]:
        dialogs = dialogs_of(page)
        page.goto(links.unsubscribe_url(ada.pk))
        return dialogs, look(page, "hostile")

    assert reader.do(read) == ([], GOOD)
