"""Where a conversation with an SMTP server stands, and how long each step may take."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Phase(IntEnum):
    """The steps in their order.

    The one that matters is `DOT_SENT`: of an error before it the message is surely not accepted; of silence in it
    nobody can say (RFC 1047).
    """

    QUEUED = 0
    CONNECT = 1
    EHLO = 2
    TLS = 3
    AUTH = 4
    MAIL = 5
    RCPT = 6
    DATA = 7
    BODY = 8
    DOT_SENT = 9
    ANSWERED = 10

    @property
    def surely_unsent(self) -> bool:
        """Whether a failure in this phase means that the server has not taken the message."""
        return self < Phase.DOT_SENT


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait in each phase; the defaults are the minima of RFC 5321 §4.5.3.2, less for the connection.

    `body` is the wait for progress, not for the whole body. `idle` is how long a connection without work is kept.
    """

    connect: float = 30.0
    greeting: float = 300.0
    command: float = 300.0
    data: float = 120.0
    body: float = 180.0
    dot: float = 600.0
    quit: float = 5.0
    idle: float = 30.0
