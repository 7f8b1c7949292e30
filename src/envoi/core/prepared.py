"""A cursor for a statement that PostgreSQL gets thousands of times: it is planned once per connection.

Django's own cursors write values into the text of a statement, which is read and planned anew each time. Only
what this cursor is given is kept: for all, psycopg would remember the last hundred statements with all their values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper

# From the third time on the server keeps the plan.
THRESHOLD = 2


@contextmanager
def preparing_cursor() -> Iterator[CursorWrapper]:
    """Elsewhere than on PostgreSQL a plain one. Its statements count like any other where statements are counted."""
    with connection.cursor() as plain:
        if connection.vendor != "postgresql":
            yield plain
            return
        session = plain.connection
        # Django asks for no more than a cursor of the database's driver, whatever its type says.
        cursor: Any = psycopg.Cursor(session)
        before, session.prepare_threshold = session.prepare_threshold, THRESHOLD
        try:
            yield connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
        finally:
            session.prepare_threshold = before
