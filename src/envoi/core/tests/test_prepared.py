"""PostgreSQL plans a statement once that it gets again and again."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from envoi.core.prepared import preparing_cursor

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite keeps its plans by itself"),
]


def test_the_third_time_the_plan_is_kept() -> None:
    for number in range(3):
        with preparing_cursor() as cursor:
            cursor.execute("SELECT %s::int + 40", [number])
            assert cursor.fetchone() == (number + 40,)
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM pg_prepared_statements WHERE statement LIKE '%%+ 40'")
        assert cursor.fetchone() == (1,)


def test_its_statements_count_like_any_other() -> None:
    with CaptureQueriesContext(connection) as captured, preparing_cursor() as cursor:
        cursor.execute("SELECT 1")
    assert len(captured) == 1
