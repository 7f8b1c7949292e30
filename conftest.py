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
