"""What each new connection to PostgreSQL begins with: whose clock counts, how soon the server forgets a dead client.

One query per connection. SQLite needs none of it: its clock is the machine's, and its locks end with the process.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from envoi.core import clock

logger = logging.getLogger("envoi.core")

# Below this a difference is left alone: the measurement itself is not better on a slow link, and clocks kept by NTP
# stay as they are.
TOLERATED = timedelta(seconds=0.25)
WORTH_SAYING = timedelta(seconds=2)
# A client whose processes stand still while its kernel lives; links that are cut are noticed by keepalives.
IDLE_IN_TRANSACTION_SECONDS = 120


def begin(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Receiver of Django's `connection_created`."""
    if connection.vendor != "postgresql":
        return
    before = clock.own()
    with connection.cursor() as cursor:
        cursor.execute(_BEGINNING, _limits(connection.settings_dict.get("OPTIONS", {})))
        measured = cursor.fetchone()[0]
    follow(measured, before, clock.own())


# With the server's usual two hours a machine that was cut off amid a transaction would hold its locks for as long, and
# with them everybody who counts in the same minute of the same mailing.
_BEGINNING = """
    SELECT clock_timestamp(),
        set_config('tcp_keepalives_idle', %(keepalives_idle)s, false),
        set_config('tcp_keepalives_interval', %(keepalives_interval)s, false),
        set_config('tcp_keepalives_count', %(keepalives_count)s, false),
        set_config('tcp_user_timeout', %(tcp_user_timeout)s, false),
        set_config('idle_in_transaction_session_timeout', %(standing)s, false)
"""


def _limits(options: Mapping[str, Any]) -> dict[str, str]:
    """The client's own patience (`config/environment.py`) for the server's side; 0 is the server's default."""
    names = ("keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout")
    return {**{name: str(options.get(name, 0)) for name in names}, "standing": f"{IDLE_IN_TRANSACTION_SECONDS}s"}


def is_gone(connection: BaseDatabaseWrapper) -> bool:
    """After an error: whether the connection is lost, so that the next may lead to another server."""
    if connection.vendor != "postgresql":
        return False
    return connection.connection is None or bool(connection.connection.closed)


def follow(measured: datetime, before: datetime, after: datetime) -> None:
    """Go by the clock of the database, which said `measured` between these two moments of this machine's clock."""
    ahead = measured - (before + (after - before) / 2)
    change = ahead - clock.correction()
    if abs(change) <= max(TOLERATED, after - before):
        return
    clock.correct(timedelta(0) if abs(ahead) <= TOLERATED else ahead)
    if abs(change) > WORTH_SAYING:
        logger.warning(
            "The clock of this machine and that of the database are %.0f seconds apart; Envoi goes by the database's. "
            "Let NTP set both.",
            abs(ahead).total_seconds(),
        )
