"""What every test of the suite gets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils import timezone, translation
from pytest_django.plugin import DjangoDbBlocker

# Their code knows no database, and pytest-django keeps the tests that ask for none away from it: what was true on
# SQLite is true here. Eight hundred tests, half a minute of CI.
WITHOUT_DATABASE = (
    "content",
    "delivery/smtp",
    "delivery/dkim",
    "delivery/sandbox",
    "cli/tests/test_serving.py",
    "cli/tests/test_supervisor.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL leave out what no database can change."""
    if connection.vendor != "postgresql":
        return
    folders = [config.rootpath / "src" / "envoi" / folder for folder in WITHOUT_DATABASE]
    alike = [item for item in items if not asks_for_database(item) and any(map(item.path.is_relative_to, folders))]
    if alike:
        config.hook.pytest_deselected(items=alike)
        left_out = set(alike)
        items[:] = [item for item in items if item not in left_out]


def asks_for_database(item: pytest.Item) -> bool:
    asked = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or not asked.isdisjoint({"db", "transactional_db"})


@pytest.fixture(autouse=True)
def empty_task_queue(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Tests that really commit leave no jobs behind: Django's flush does not know procrastinate's tables."""
    yield
    if connection.vendor == "postgresql" and commits(request):
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE procrastinate_jobs CASCADE")


def commits(request: pytest.FixtureRequest) -> bool:
    marker = request.node.get_closest_marker("django_db")
    asked = bool(marker and marker.kwargs.get("transaction"))
    return asked or not {"transactional_db", "live_server"}.isdisjoint(request.fixturenames)


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """The limits on sign-in live in the cache: one test's wrong passwords must not lock out the next one."""
    cache.clear()


@pytest.fixture(autouse=True)
def nobodys_language() -> None:
    """A request leaves its reader's language and time zone with the thread: the next test has neither."""
    translation.deactivate()
    timezone.deactivate()


@pytest.fixture(autouse=True)
def no_memory_of_another_database() -> None:
    """Each test has a new database in the same data folder, which must not look like a restored backup."""
    Path(settings.ENVOI_DATA, "ledger.mark").unlink(missing_ok=True)
