"""Addresses that show how failures look: whoever puts one of these tags into an address gets the failure it names."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Trick:
    """What happens to `anything+tag@any.domain`.

    Attributes:
        stage: "rcpt" or "data": when the answer is given.
        answer: what the server says; "" closes the connection without a word.
        once: only the first attempt meets it.
    """

    tag: str
    stage: str
    answer: str
    meaning: Promise
    once: bool = False


TRICKS = (
    Trick("bounce", "rcpt", "550 5.1.1 No such mailbox here", _("The address does not exist: fails for good.")),
    Trick(
        "defer",
        "rcpt",
        "451 4.7.1 Greylisted, please try again later",
        _("Refused for now, taken at the second attempt."),
        once=True,
    ),
    Trick("full", "rcpt", "452 4.2.2 The mailbox is full", _("Refused for now, at every attempt.")),
    Trick("reject", "data", "554 5.6.0 The message was refused", _("Refused after the whole message was read.")),
    Trick(
        "blocked",
        "data",
        "550 5.7.1 Sending from here is blocked",
        _("The sender is refused, not the address: pauses the transport."),
    ),
    Trick("drop", "data", "", _("The connection breaks before the answer: the outcome stays unknown.")),
)


def trick_of(address: str, stage: str) -> Trick | None:
    """The trick that `address` asks for at this stage."""
    tags = address.rpartition("@")[0].lower().split("+")[1:]
    return next((trick for trick in TRICKS if trick.stage == stage and trick.tag in tags), None)
