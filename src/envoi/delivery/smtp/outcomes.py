"""What became of one message. Five types, so that “surely not sent” and “perhaps sent” can never be mixed up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from envoi.delivery.smtp.phases import Phase
from envoi.delivery.smtp.replies import Reply


class FaultKind(StrEnum):
    """Why a conversation broke off without an answer that decides."""

    UNKNOWN_NAME = "unknown_name"  # there is no host of this name
    NO_LOOKUP = "no_lookup"  # the name server did not say whether there is one
    UNREACHABLE = "unreachable"  # nobody listens, or no way there
    TIMEOUT = "timeout"
    DROPPED = "dropped"  # the connection ended in the middle
    GARBAGE = "garbage"  # what came is no SMTP
    NO_STARTTLS = "no_starttls"  # encryption was asked for, the server offers none
    TLS_NAME = "tls_name"  # the certificate is for another name
    TLS_UNTRUSTED = "tls_untrusted"  # nobody we trust signed the certificate, or it has expired
    TLS = "tls"  # the handshake failed for another reason
    NO_MECHANISM = "no_mechanism"  # no way to sign in that both sides know and that is safe here
    HOOK = "hook"  # our own record of the dot could not be written, so the dot was not sent either
    WITHHELD = "withheld"  # the caller took the message back before MAIL, or before the dot
    CLOSED = "closed"  # the pool was closed while the message waited


@dataclass(frozen=True, slots=True)
class Fault:
    """A conversation that broke off; `text` is for logs and people, in English."""

    kind: FaultKind
    text: str

    def __str__(self) -> str:
        return self.text


class TakenBack(Exception):
    """Raised by the hook before the dot: the message is not to be sent after all; nothing is wrong."""


class Remedy(StrEnum):
    """What a refusal of the sender asks for."""

    WAIT = "wait"  # the server says: later, slower, or on a new connection
    PERSON = "person"  # password, domain, reputation, relay rights: somebody has to act


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server took responsibility for the message."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Refused:
    """The server refused this address or this message: for good when `reply.permanent`, else for now.

    Refusals that Envoi makes itself before MAIL (too big, address needs SMTPUTF8 …) come with the code that the
    standard gives them and an empty `reply.raw`.
    """

    reply: Reply
    phase: Phase


@dataclass(frozen=True, slots=True)
class SenderRefused:
    """The server refused us, not the recipient: the sender pauses, the message waits unharmed."""

    reply: Reply
    phase: Phase
    remedy: Remedy = Remedy.PERSON


@dataclass(frozen=True, slots=True)
class NotSent:
    """It broke off before the final dot: surely not accepted, may be tried again."""

    error: Fault
    phase: Phase


@dataclass(frozen=True, slots=True)
class Unknown:
    """It broke off between the final dot and the answer: perhaps accepted."""

    error: Fault


Outcome = Accepted | Refused | SenderRefused | NotSent | Unknown
