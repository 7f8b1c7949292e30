"""What delivery announces: facts about mailings and transports, never about single recipients (there are too many)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MailingStarted:
    """The ledger of a mailing is frozen and its first shift is ordered."""

    mailing_id: int


@dataclass(frozen=True, slots=True)
class MailingPaused:
    """Nothing more of this mailing leaves until it is resumed; `reason` is for people, empty if a person paused it."""

    mailing_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class MailingResumed:
    """A paused mailing goes on, or a finished one goes on with recipients that are tried again."""

    mailing_id: int


@dataclass(frozen=True, slots=True)
class MailingCancelled:
    """Whoever had not got the message will not get it."""

    mailing_id: int


@dataclass(frozen=True, slots=True)
class MailingFinished:
    """Every row of the ledger is in a terminal state."""

    mailing_id: int


@dataclass(frozen=True, slots=True)
class TransportPaused:
    """The relay refused the sender or cannot be reached; mailings over it wait."""

    transport_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class TransportResumed:
    """Mailings over this transport go on."""

    transport_id: int


@dataclass(frozen=True, slots=True)
class SendingChanged:
    """The settings of a transport or of its sender were changed."""

    transport_id: int


@dataclass(frozen=True, slots=True)
class SigningChanged:
    """A DKIM key of this domain was made, turned on or off, or removed."""

    domain: str
