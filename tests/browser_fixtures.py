"""Fixtures of the browser tests; a folder whose tests use the browser imports them in its `conftest.py`."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from envoi.accounts.models import Role, User
from tests import browser as chromium
from tests.browser import Visit
from tests.chromium import CHROMIUM


# Per module, not per session: outside the modules that use it, asyncio.run must work.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium-headless-shell)")
    with chromium.running() as running:
        yield running


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Visit]:
    """Somebody who is not signed in, at a wide window in light colours."""
    with chromium.visiting(browser, live_server.url) as visiting:
        yield visiting


@pytest.fixture
def page(visit: Visit) -> Page:
    return visit.page


@pytest.fixture
def person(transactional_db: None) -> Callable[..., User]:
    """Makes users: `person("Chloé", role="editor")` signs in as chloe@example.org, “correct horse battery”."""

    def make(name: str, role: str = Role.OWNER, **fields: object) -> User:
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        return User.objects.create_user(f"{plain}@example.org", "correct horse battery", name=name, role=role, **fields)

    return make


@pytest.fixture
def signed_in(visit: Visit, person: Callable[..., User]) -> Callable[..., Visit]:
    """`signed_in("editor")`: the visit of Ada, signed in with that role."""

    def sign_in(role: str = Role.OWNER, **fields: object) -> Visit:
        visit.sign_in(person("Ada", role=role, **fields))
        return visit

    return sign_in
