"""What an outcome means: for the recipient's row, and for the transport. Pure functions.

A refusal of the sender and a relay that cannot be reached cost no recipient anything: the row goes back to pending.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from envoi.core import wording
from envoi.delivery.composers import Leased
from envoi.delivery.models import Delivery
from envoi.delivery.queries.leases import DOUBT
from envoi.delivery.queries.results import Result
from envoi.delivery.smtp import Accepted, FaultKind, NotSent, Outcome, Phase, Refused, Remedy, Reply, SenderRefused
from envoi.delivery.smtp import Unknown as NoAnswer

State = Delivery.State

FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(hours=4)
# RFC 5321 §4.5.4.1 asks for at least 4 to 5 days.
HORIZON = timedelta(days=4)
RELAY_AWAY = timedelta(minutes=1)
SENDER_REFUSED = timedelta(minutes=5)

# RFC 3463 §3.2: no such mailbox, no such domain, mailbox moved without a forward; RFC 7505: the domain takes no mail.
# Only these say that the address itself is dead; a full mailbox or a policy says nothing about next week.
DEAD_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.6", "5.1.10"})

_jitter = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Standstill:
    """The transport must pause; `retry_after` None means until a person has acted."""

    reason: str
    retry_after: timedelta | None


@dataclass(frozen=True, slots=True)
class Decision:
    """The row's next state, whether its address is dead, and what it means for the transport."""

    result: Result
    dead_address: bool = False
    standstill: Standstill | None = None


def decide(row: Leased, outcome: Outcome, now: datetime) -> Decision:
    """What follows from `outcome` of the attempt to send `row`."""
    match outcome:
        case Accepted(reply):
            return Decision(_answered(row, State.SENT, reply))
        case Refused(reply, phase) if reply.permanent:
            dead = phase == Phase.RCPT and reply.status in DEAD_ADDRESS
            return Decision(_answered(row, State.FAILED, reply), dead_address=dead)
        case Refused(reply):
            return Decision(_again(row, now, reply, ""))
        case SenderRefused(reply, remedy=remedy):
            wait = SENDER_REFUSED if remedy == Remedy.WAIT else None
            return Decision(untried(row), standstill=Standstill(str(reply), wait))
        case NotSent(error, phase) if error.kind == FaultKind.WITHHELD or error.kind == FaultKind.CLOSED:
            return Decision(untried(row))
        case NotSent(error) if error.kind == FaultKind.HOOK:
            return Decision(untried(row), standstill=Standstill(str(error), RELAY_AWAY))
        case NotSent(error, phase) if phase <= Phase.AUTH:
            return Decision(untried(row), standstill=Standstill(str(error), _patience(error.kind)))
        case NotSent(error):
            return Decision(_again(row, now, None, str(error)))
        case NoAnswer(error):
            return Decision(in_the_dark(row, str(error), now))


def retry_time(attempts: int, now: datetime) -> datetime:
    """When to try again after so many attempts: 5, 10, 20 … minutes, at most 4 hours, each up to 20 % more.

    Not less: servers that greylist ask for five minutes as a rule.
    """
    wait = min(FIRST_RETRY * 2 ** min(attempts, 10), LONGEST_RETRY)
    return now + timedelta(seconds=wait.total_seconds() * _jitter.uniform(1.0, 1.2))


def _answered(row: Leased, state: Delivery.State, reply: Reply) -> Result:
    return Result(row.id, state, code=reply.code, status=reply.status, text=reply.text, epoch=row.epoch)


def _again(row: Leased, now: datetime, reply: Reply | None, detail: str) -> Result:
    code, status, text = (reply.code, reply.status, reply.text) if reply else (None, "", "")
    if now - row.first_attempt_at >= HORIZON:
        detail = wording.ngettext(
            "Given up after %(days)d day of trying.",
            "Given up after %(days)d days of trying.",
            HORIZON.days,
            days=HORIZON.days,
        )
        return Result(row.id, State.FAILED, detail=detail, code=code, status=status, text=text, epoch=row.epoch)
    when = retry_time(row.attempts, now)
    return Result(
        row.id, State.DEFERRED, detail=detail, retry_at=when, code=code, status=status, text=text, epoch=row.epoch
    )


def in_the_dark(row: Leased, detail: str, now: datetime) -> Result:
    """Nobody knows; evidence has so long to turn up."""
    return Result(row.id, State.UNKNOWN, detail=detail, retry_at=now + DOUBT, epoch=row.epoch)


def untried(row: Leased) -> Result:
    """Surely not offered to a server: it waits again."""
    return Result(row.id, State.PENDING, attempted=False, epoch=row.epoch)


def skipped(row: Leased, reason: Delivery.SkipReason, detail: str = "") -> Result:
    """Not to be sent at all."""
    return Result(row.id, State.SKIPPED, skip_reason=reason, detail=detail, epoch=row.epoch, attempted=False)


def put_off(row: Leased, until: datetime, why: str) -> Result:
    """Not now, because a limit of ours says so: no attempt, and no fault of anybody's."""
    return Result(row.id, State.DEFERRED, detail=why, retry_at=until, epoch=row.epoch, attempted=False)


def _patience(kind: FaultKind) -> timedelta | None:
    """What a wrong certificate or setting is does not pass by itself; everything else may."""
    lasting = {FaultKind.NO_STARTTLS, FaultKind.TLS_NAME, FaultKind.TLS_UNTRUSTED, FaultKind.NO_MECHANISM}
    return None if kind in lasting else RELAY_AWAY
