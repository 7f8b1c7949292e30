"""What a mail server reports later about a message that it had accepted: it ends a doubt, or the message came back.

Guarantees: a report moves a row forward only, and the same report again changes nothing; row, tally and suppression
change together or not at all; a message that bounced stays so, whatever else is reported.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import transaction

from envoi.core import clock, wording
from envoi.delivery.actions.dead_addresses import suppress_dead
from envoi.delivery.actions.mailing import pause
from envoi.delivery.models import Delivery, Lease, Mailing
from envoi.delivery.queries.leases import locked
from envoi.delivery.queries.progress import came_back
from envoi.delivery.queries.tallies import COUNTED, add_to_tally
from envoi.delivery.shifts.answers import BUDGET_OVER
from envoi.delivery.shifts.decisions import DEAD_ADDRESS
from envoi.delivery.shifts.shift import BUDGET_SHARE

logger = logging.getLogger("envoi.delivery")

State = Delivery.State

# In `Delivery.detail`, beside the text and twice as long where it is nothing but quotes.
LONGEST_ANSWER = 150
# Of these the ledger thinks that somebody waits for the message still, or does not know.
OPEN = (State.UNKNOWN, State.DEFERRED, State.PENDING)


class Fate(StrEnum):
    """What became of the message, as far as the report tells."""

    ARRIVED = "arrived"
    # The server has it and goes on trying.
    DELAYED = "delayed"
    FAILED = "failed"


class NoSuchDelivery(LookupError):
    """The row is no longer there."""


class TooEarly(Exception):
    """A worker holds the row and has not written down yet what came of it: the report must come again later."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What was reported of one delivery.

    Attributes:
        status: the enhanced status (RFC 3463), or "".
        code: the SMTP reply, if it is known.
        words: what the server said.
        about_address: whether it speaks of the very address that was written to, and not of one beyond a forward.
    """

    fate: Fate
    status: str = ""
    code: int | None = None
    words: str = ""
    about_address: bool = True

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.code, self.status, self.words) if part)


def take_report(delivery_id: int, reported: Reported) -> Delivery.State | None:
    """Believe the report; the state to which the row came, None when it changed none.

    Raises:
        NoSuchDelivery: see there.
        TooEarly: see there.
    """
    with transaction.atomic():
        row = _locked_row(delivery_id)
        after = _state_after(row, reported.fate)
        if after is not None:
            _change(row, after, reported)
            return after
        if row.state == State.SENT and reported.fate == Fate.DELAYED:
            Delivery.objects.filter(pk=row.pk).update(detail=_delayed(reported))
    return None


def stop_if_too_much_comes_back(delivery_id: int) -> bool:
    """Pause the mailing of this row when more than a fifth of what was accepted has come back; whether it did.

    After `take_report` is committed, never in its transaction: who leases rows locks mailing and tally in the other
    order.
    """
    mailing = Mailing.objects.filter(deliveries=delivery_id, state=Mailing.State.RUNNING).first()
    if mailing is None:
        return False
    bounced, accepted = came_back(mailing)
    if accepted < BUDGET_OVER or bounced <= accepted * BUDGET_SHARE:
        return False
    reason = wording.gettext(
        "Paused by itself: of %(accepted)d messages that the mail server had accepted, %(bounced)d came back. See in "
        "the log why.",
        accepted=accepted,
        bounced=bounced,
    )
    return pause(mailing, actor=None, reason=reason)


def _locked_row(delivery_id: int) -> Delivery:
    """The row, which nobody else changes until the transaction ends.

    Of one that waits, the mailing is locked before it, as all do that lease rows or let deferred ones wait again: they
    hold tallies while they take rows.
    """
    found = Delivery.objects.select_related("mailing").filter(pk=delivery_id)
    row = found.first()
    if row is None:
        raise NoSuchDelivery(delivery_id)
    waits = row.state in Delivery.OPEN
    if waits:
        locked(row.mailing)
    row = found.select_for_update(of=("self",), no_key=True).first()
    if row is None:
        raise NoSuchDelivery(delivery_id)
    if row.state == State.PENDING and (not waits or _is_held(row)):
        raise TooEarly(f"delivery {delivery_id} is being sent")
    return row


def _is_held(row: Delivery) -> bool:
    leases = Lease.objects.filter(mailing=row.mailing_id, first_id__lte=row.pk, last_id__gte=row.pk)
    return leases.exclude(worker="").exists()


def _state_after(row: Delivery, fate: Fate) -> Delivery.State | None:
    if fate == Fate.FAILED:
        return State.BOUNCED if row.state in (State.SENT, *OPEN) else None
    return State.SENT if row.state in OPEN else None


def _change(row: Delivery, after: Delivery.State, reported: Reported) -> None:
    before, since = State(row.state), row.state_at
    fields: dict[str, Any] = {
        "state": after,
        "state_at": clock.now(),
        "retry_at": None,
        "doubt_worker": "",
        "doubt_lease": None,
        "detail": _detail(reported),
        "reply_code": reported.code,
        "reply_status": reported.status[:12],
        "reply_text": reported.words[:1000],
    }
    Delivery.objects.filter(pk=row.pk).update(**fields)
    counts = Counter({(str(after), ""): 1})
    if before in COUNTED:
        counts[str(before), ""] -= 1
    # In the minute in which it was sent, so that what was accepted in a minute stays the sum of both.
    add_to_tally(row.mailing, counts, since if before == State.SENT else None)
    if after == State.BOUNCED and reported.about_address and reported.status in DEAD_ADDRESS:
        suppress_dead({row.address_key: str(reported)})


def _detail(reported: Reported) -> str:
    match reported.fate:
        case Fate.FAILED:
            return wording.gettext("The mail server had accepted it, and it came back.")
        case Fate.DELAYED:
            return _delayed(reported)
    return wording.gettext("A report of the mail server says that it arrived.")


def _delayed(reported: Reported) -> str:
    return wording.gettext(
        "A mail server on the way could not hand it on yet and goes on trying: %(answer)s",
        answer=str(reported)[:LONGEST_ANSWER],
    )
