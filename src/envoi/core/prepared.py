"""A cursor for a statement that PostgreSQL gets thousands of times: it is planned once per connection.

Django's own cursors write values into the text of a statement, which is read and planned anew each time. After how many
times a plan is kept says `prepare_threshold` of the connection (`config/environment.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper


@contextmanager
def preparing_cursor() -> Iterator[CursorWrapper]:
    """Only on PostgreSQL. Its statements count like any other where statements are counted."""
    with connection.cursor() as plain:
        # Django asks for no more than a cursor of the database's driver, whatever its type says.
        cursor: Any = psycopg.Cursor(plain.connection)
        yield connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
