from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from playwright.sync_api import Dialog

from envoi.contacts.models import Contact
from envoi.delivery.tests.factories import make_contact
from envoi.notices import identity
from envoi.notices.queries import stamps
from tests.browser import Visit
from tests.browser_fixtures import browser, page, person, signed_in
from tests.browser_fixtures import visit as plain_visit
from tests.dashboards.host import Host

__all__ = ["browser", "page", "person", "plain_visit", "signed_in"]


@pytest.fixture
def visit(plain_visit: Visit) -> Iterator[Visit]:
    """On SQLite the tests and the server share one connection in memory: where both begin a transaction at once, the
    server answers 503, and the script asks again."""
    yield plain_visit
    if connection.vendor == "sqlite":
        plain_visit.allow("status of 503")


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """A database that was emptied gives its numbers out again."""
    stamps.forget()
    identity.forget()
    identity._customers_as_of = ""


@pytest.fixture
def ada(transactional_db: None) -> Contact:
    return make_contact("ada@example.net", first_name="Ada", reference="C-1815", language="en")


@pytest.fixture
def host() -> Iterator[Host]:
    """The web application of somebody else, on an origin of its own."""
    with Host() as host:
        yield host


@pytest.fixture
def dialogs(visit: Visit) -> list[str]:
    """Every dialog that a script opened: there must be none."""
    opened: list[str] = []

    def note(dialog: Dialog) -> None:
        opened.append(dialog.message)
        dialog.dismiss()

    visit.page.on("dialog", note)
    return opened
