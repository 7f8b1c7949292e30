"""A real browser for the tests: Debian's Chromium, driven by Playwright.

Guarantee: a test that uses `page` fails when a page logged an error, broke the content security policy or threw an
exception in a script, whatever else it looked at.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, expect, sync_playwright

from envoi.accounts.models import User
from tests.chromium import CHROMIUM

OUTPUT = Path(__file__).parent / "output"
SMALL: ViewportSize = {"width": 360, "height": 740}
WIDE: ViewportSize = {"width": 1280, "height": 800}
AXE = Axe().axe_script
# What passed is left out: it would be ten times what a test reads, and take longer than the rules themselves.
RULES = json.dumps({"iframes": False, "resultTypes": ["violations"]})

# Milliseconds: a machine that others share may stand still for seconds.
PATIENCE = 15_000

Answer = TypeVar("Answer")


@contextmanager
def running() -> Iterator[Browser]:
    """Chromium, headless. While it runs, an event loop counts as running in this thread: see `in_thread`."""
    allowed = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    # Playwright's loop runs beside the test in the same thread; Django would take the test's queries for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=PATIENCE)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            try:
                yield browser
            finally:
                browser.close()
    finally:
        if allowed is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        else:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = allowed


@dataclass
class Visit:
    """One person at one browser.

    Attributes:
        url: of the running server, without a slash at the end.
        complaints: what the browser found wrong so far; `allow` takes what a test expects out.
        allowed: what may still come, once each.
    """

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a page and wait until its scripts have given everything its behaviour."""
        self.page.goto(self.url + path)
        return self.ready()

    def ready(self) -> Page:
        self.page.wait_for_selector("html[data-ready]", state="attached")
        # Not wait_for_function: it evaluates a string, which the content security policy refuses.
        expect(self.page.locator("[data-enlivened=yes]")).to_have_count(0)
        return self.page

    def sign_in(self, user: User) -> None:
        """Sign `user` in without the form, as far as the server can tell."""
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        self.page.context.add_cookies(
            [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": self.url}]
        )

    def allow(self, part: str) -> None:
        """Forget complaints that hold `part`: a 404 that the test asked for is no fault.

        When there is none yet, the first to come is forgotten: the browser tells of it when it has the time.
        """
        others = [complaint for complaint in self.complaints if part not in complaint]
        if len(others) == len(self.complaints):
            self.allowed.append(part)
        self.complaints = others

    def complain(self, words: str) -> None:
        """The browser found something wrong."""
        for part in self.allowed:
            if part in words:
                self.allowed.remove(part)
                return
        self.complaints.append(f"{self.page.url}: {words}")

    def assert_accessible(self) -> None:
        """No rule of axe-core (WCAG 2.2 A and AA, best practice) is broken on this page as it is now.

        Frames are left out: ours show foreign messages in a sandbox without scripts, where axe cannot answer itself.
        """
        self.page.evaluate(AXE)
        found = self.page.evaluate(f"axe.run(document, {RULES}).then(results => results.violations)")
        told = [f"{rule['id']}: {rule['help']}\n    " + "\n    ".join(_nodes(rule)) for rule in found]
        assert not told, f"{self.page.url}\n" + "\n".join(told)

    def assert_fits(self) -> None:
        """The page does not scroll sideways."""
        width = self.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert width[0] <= width[1], f"{self.page.url} is {width[0]} wide in a window of {width[1]}"

    def shoot(self, name: str) -> Path:
        """A picture of the page in `tests/output/`."""
        OUTPUT.mkdir(exist_ok=True)
        path = OUTPUT / f"{name}.png"
        self.page.screenshot(path=path)
        return path


@contextmanager
def visiting(browser: Browser, url: str, **options: Any) -> Iterator[Visit]:
    """A fresh browser profile; at its end, any complaint fails the test."""
    context: BrowserContext = browser.new_context(**{"viewport": WIDE, "locale": "en-GB", **options})
    context.set_default_timeout(PATIENCE)
    visit = Visit(context.new_page(), url)

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            visit.complain(message.text)

    visit.page.on("console", listen)
    visit.page.on("pageerror", lambda error: visit.complain(str(error)))
    try:
        yield visit
    finally:
        context.close()
    assert not visit.complaints, "\n".join(visit.complaints)


def in_thread(work: Callable[[], Answer]) -> Answer:
    """Do `work` in another thread: what calls `asyncio.run` cannot be called beside a running browser."""
    answers: list[Answer] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(work())
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return answers[0]


def _nodes(rule: dict[str, Any]) -> list[str]:
    return [f"{node['html'][:200]} — {node.get('failureSummary', '')}" for node in rule["nodes"][:5]]
