"""Take the pictures of the documentation from the running product: `python -m tests.take_pictures`.

Starts a throw-away installation with the demo organisation, does what the tutorial says, writes docs/pictures/*.png.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from envoi.cli import throw_away
from tests.chromium import CHROMIUM

FOLDER = Path(__file__).resolve().parent.parent / "docs/pictures"
PASSWORD = "a password only for pictures"
READER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


@contextmanager
def product() -> Iterator[tuple[str, str, str]]:
    """The product with the demo organisation: its address, and the owner's name and one-time password."""
    with throw_away.installation() as port:
        environment = {**os.environ, "ENVOI_BASE_URL": f"http://localhost:{port}"}
        command = [sys.executable, "-u", "-m", "envoi.cli", "up", "--demo", "--port", str(port)]
        group = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        try:
            yield f"http://localhost:{port}", *welcome(group)
        finally:
            group.terminate()
            group.wait(60)


def welcome(group: subprocess.Popen[str]) -> tuple[str, str]:
    said = ""
    while "Ctrl-C" not in said:
        line = group.stdout.readline() if group.stdout else ""
        if not line:
            raise SystemExit(f"The product did not start:\n{said}")
        said += line
    found = re.search(r"Sign in as\s+(\S+)\s+One-time password\s+(\S+)", said)
    if found is None:
        raise SystemExit(f"No account was announced:\n{said}")
    return found[1], found[2]


def sign_in(page: Page, address: str, name: str, password: str) -> None:
    page.goto(address)
    page.locator("input[name=login]").fill(name)
    page.locator("input[name=password]").fill(password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url("**/password/change/")
    fields = page.locator("input[type=password]")
    answers = [password, PASSWORD, PASSWORD] if fields.count() == 3 else [PASSWORD] * fields.count()
    for index, answer in enumerate(answers):
        fields.nth(index).fill(answer)
    fields.last.press("Enter")
    page.wait_for_url(f"{address}/")


def shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(700)
    page.screenshot(path=FOLDER / f"{name}.png")


def choose(page: Page, field: str, typed: str) -> None:
    page.get_by_role("combobox", name=field, exact=True).focus()
    page.keyboard.type(typed)
    expect(page.locator(".option.active:visible")).to_be_visible()
    page.wait_for_timeout(700)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")


def picture_wizard(page: Page, address: str) -> None:
    page.goto(f"{address}/broadcasts/")
    shoot(page, "broadcasts")
    page.get_by_role("link", name="Add Broadcast").click()
    page.get_by_role("dialog").get_by_text("Email", exact=True).first.click()
    page.get_by_role("dialog").get_by_role("button", name="Next Step").click()
    choose(page, "Target customers", "Chlo")
    choose(page, "Target products", "Pro")
    choose(page, "Target products", "Bus")
    choose(page, "Lists", "News")
    expect(page.get_by_text("people will get it")).to_be_visible()
    shoot(page, "wizard")


def slow_down(page: Page, address: str) -> None:
    """Let the sandbox take 40 messages a second, so that there is something to watch."""
    page.goto(f"{address}/settings/sending/")
    page.locator("table").first.get_by_role("link").first.click()
    page.get_by_label("Messages per second").fill("40")
    page.get_by_role("button", name="Save").click()
    page.wait_for_load_state()


def picture_sending(page: Page, address: str) -> str:
    """Send the draft of the demo; the address of its page."""
    page.goto(f"{address}/broadcasts/")
    page.locator("table").get_by_role("link", name="Your websites rest").first.click()
    page.wait_for_timeout(500)
    while not page.get_by_role("button", name="Send", exact=True).count():
        page.get_by_role("button", name="Next Step").or_(page.get_by_role("link", name="Edit")).first.click()
        page.wait_for_timeout(800)
    shoot(page, "review")
    page.get_by_role("button", name="Send", exact=True).click()
    page.locator("dialog.small").get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Pause").wait_for()
    page.wait_for_timeout(3500)
    shoot(page, "progress")
    expect(page.get_by_text("Finished", exact=True)).to_be_visible(timeout=60_000)
    return page.url


def picture_reading(page: Page, address: str) -> None:
    page.goto(f"{address}/sandbox/")
    page.locator("table").get_by_role("link", name="Your websites rest").first.click()
    page.frame_locator("iframe").get_by_text("Lantern Sites").first.wait_for()
    shoot(page, "sandbox")
    with page.expect_popup() as opened:
        page.frame_locator("iframe").get_by_role("link", name="Unsubscribe").first.click()
    opened.value.wait_for_load_state()
    shoot(opened.value, "unsubscribe")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with product() as (address, name, password), sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1280, "height": 860}, user_agent=READER, locale="en-GB")
        page = context.new_page()
        sign_in(page, address, name, password)
        shoot(page, "home")
        picture_wizard(page, address)
        slow_down(page, address)
        picture_sending(page, address)
        picture_reading(page, address)
        page.goto(f"{address}/broadcasts/")
        page.locator("table").get_by_role("link", name="Your website got faster").first.click()
        time.sleep(1)
        shoot(page, "broadcast")
        browser.close()


if __name__ == "__main__":
    main()
