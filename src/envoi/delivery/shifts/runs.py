"""Runs of transports that send in portions, made at once by whoever asks: cron, or a person.

Any number of workers may send beside: what a run holds is counted in one place, so that a portion is a portion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from envoi.core import clock
from envoi.core.tasks import ending
from envoi.core.wording import said
from envoi.delivery.limits import hindrances
from envoi.delivery.limits.routes import choose, opens_at
from envoi.delivery.machine import elapsed
from envoi.delivery.models import Mailing, Pace, Transport
from envoi.delivery.queries import pace, turns
from envoi.delivery.queries.portions import waiting_over
from envoi.delivery.shifts.work import work

# A rate or a pause of so many seconds is waited for; what takes longer is left to the next run.
PATIENCE = 120.0
LONGEST = 3600.0


@dataclass(frozen=True, slots=True)
class Run:
    """What became of one transport.

    Attributes:
        made: whether a run was begun; else `why` says why not, in words for people.
        sent: messages that left in the run.
        waiting: whether messages that are due are left for the next run.
        next_at: when the next run is due; None when nothing but `send-due` begins it.
    """

    transport: Transport
    made: bool
    sent: int = 0
    waiting: bool = False
    next_at: datetime | None = None
    why: str = ""


def in_portions() -> list[Transport]:
    """The transports that send in portions."""
    return list(Transport.objects.filter(release=Transport.Release.QUEUED).order_by("name"))


def make_runs(transports: Sequence[Transport], *, even_if_not_due: bool = False, seconds: float = LONGEST) -> list[Run]:
    """Begin a run of each transport whose run is due, and send until all are used up or nothing is left to send.

    Args:
        even_if_not_due: begin runs now, whatever the time of the next is.
        seconds: end then, whatever is left; what a run still holds goes with the next turns of a worker, if there are.
    """
    now = clock.now()
    hindered = {one.pk: _why_not(one, now, even_if_not_due=even_if_not_due) for one in transports}
    begun = {one.pk: pace.begin_run(one) for one in transports if not hindered[one.pk]}
    if begun:
        _send(begun, elapsed() + seconds)
    return [_told(one, begun.get(one.pk), hindered[one.pk]) for one in transports]


def _why_not(transport: Transport, now: datetime, *, even_if_not_due: bool) -> str:
    if transport.paused_at:
        return said(transport.paused_reason)
    closed = hindrances.of_hours(transport, now)
    if closed is not None:
        return closed.text
    due = pace.run_due_at(transport, Pace.objects.filter(transport=transport).first(), now)
    if due is None or due <= now or even_if_not_due:
        return ""
    return hindrances.before_run(transport, due).text


def _send(begun: dict[int, int], until: float) -> None:
    """Turn after turn, for the mailings that may go over these transports."""
    while not ending.stopping() and elapsed() < until:
        open_ones = [pk for pk in begun if _left(pk)]
        mailings = [one for one in waiting_over(open_ones) if _way(one) in open_ones]
        if mailings:
            for mailing in mailings:
                work(mailing.pk, min(turns.SHORT.total_seconds() if len(mailings) > 1 else 20.0, until - elapsed()))
            continue
        moments = [moment for one in waiting_over(open_ones) if (moment := opens_at(one)) is not None]
        wait = (min(moments) - clock.now()).total_seconds() if moments else None
        if wait is None or wait > min(PATIENCE, until - elapsed()):
            return
        ending.wait(max(0.1, wait))


def _left(transport: int) -> int:
    return Pace.objects.filter(pk=transport).values_list("run_left", flat=True).first() or 0


def _way(mailing: Mailing) -> int | None:
    chosen = choose(mailing)
    return chosen.pk if chosen else None


def _told(transport: Transport, held: int | None, why: str) -> Run:
    row = Pace.objects.filter(transport=transport).first()
    next_at = pace.run_due_at(transport, row, clock.now())
    waiting = waiting_over([transport.pk]).exists()
    if held is None:
        return Run(transport, False, waiting=waiting, next_at=next_at, why=why)
    sent = held - ((row.run_left or 0) if row else 0)
    transport.refresh_from_db()
    if not transport.portion_minutes:
        # Mailings that begin later wait for the next run.
        pace.end_run(transport)
    return Run(transport, True, sent, waiting, next_at, said(transport.paused_reason) if transport.paused_at else "")
