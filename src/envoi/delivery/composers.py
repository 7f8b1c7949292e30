"""How delivery learns what to write without knowing broadcasts: upper layers register a composer by name.

Guarantee: a batch is composed with the same few queries whatever its size, before any of its messages is attempted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from envoi.delivery.models import Mailing


class Leased(NamedTuple):
    """One ledger row that this worker may send. A named tuple: made for every recipient, it must be cheap.

    Attributes:
        id: of the delivery; tokens in the message carry it.
        key: random part of the Message-ID (`Mailing.message_id` makes the whole), the same on every attempt.
        address: as it goes into RCPT and To.
        address_key: the address as it is compared.
        contact_id: None when the contact was deleted after the freeze.
        attempts: how often it was tried before.
        first_attempt_at: goes into Date, so that every attempt is the same message.
        epoch: the number of the lease, higher with each: who writes says it, so that nobody writes under the lease
            that another has meanwhile.
    """

    id: int
    key: str
    address: str
    address_key: str
    contact_id: int | None
    attempts: int
    first_attempt_at: datetime
    epoch: int = 0


class Message(NamedTuple):
    """A complete message: `return_path` for MAIL FROM, `data` in RFC 5322 form with CRLF, not dot-stuffed.

    Attributes:
        clean_lines: the composer vouches for `data`: each line ends in CRLF, no other CR, LF or zero byte is in it, and
            no line begins with a dot. Else the client searches for them, which costs 11 µs for 20 KB.
    """

    return_path: str
    data: bytes
    clean_lines: bool = False


@dataclass(frozen=True, slots=True)
class RenderProblem:
    """This recipient's message cannot be made; `detail` says why, for a person. The recipient is skipped."""

    detail: str


class Compose(Protocol):
    """Makes messages in two steps. What they raise pauses the mailing: the fault is not one recipient's."""

    def load(self, batch: Sequence[Leased], /) -> Sequence[Any]:
        """What each message of a batch needs from the database, in its order: a few queries whatever its size."""
        ...

    def write(self, row: Leased, loaded: Any, /) -> Message | RenderProblem:
        """One message from what `load` gave for its row. Pure: called in the SMTP thread, where no database is."""
        ...


class Composer(Protocol):
    """Makes what the messages of one mailing share; called once per shift. What it raises pauses the mailing."""

    def open(self, mailing: Mailing, /) -> Compose: ...


class UnknownComposer(LookupError):
    """No composer is registered under the name that a mailing carries."""


_composers: dict[str, Composer] = {}


def register(name: str, composer: Composer) -> None:
    """Mailings whose `composer` is `name` are written by this one. Call it from the app's `ready()`."""
    _composers[name] = composer


def named(name: str) -> Composer:
    """The composer registered under `name`.

    Raises:
        UnknownComposer: there is none.
    """
    try:
        return _composers[name]
    except KeyError:
        raise UnknownComposer(f"no composer is registered as “{name}”") from None
