"""Which history of itself the database server follows: it begins a new one when a standby takes over."""

from __future__ import annotations

from django.db import NotSupportedError, ProgrammingError, connection, transaction

# A server in recovery, which nobody writes to, has no place in the log of its own.
_TIMELINE = """
SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END
"""


def timeline() -> str:
    """PostgreSQL's timeline, eight hexadecimal digits; "" where there is none or the server does not tell."""
    if connection.vendor != "postgresql":
        return ""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_TIMELINE)
            found: tuple[str] = cursor.fetchone()
            return found[0]
    except (NotSupportedError, ProgrammingError):
        # Some services that speak PostgreSQL keep no log of this kind.
        return ""
