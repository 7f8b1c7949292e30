# ruff: noqa: S608 - put together from names of tables of this code; every value is a parameter
"""How far a mailing is, from its tallies: a few rows whatever its size; and who got it, from the ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Max, Min, Q, QuerySet, Sum

from envoi.core import addresses, clock, wording
from envoi.core.prepared import preparing_cursor
from envoi.delivery.limits.routes import why_waiting
from envoi.delivery.models import Delivery, Mailing, Tally
from envoi.delivery.queries.ranges import held, rows_of

State = Delivery.State
# States that an index of their own finds.
LOOKED_FOR = (State.DEFERRED, State.FAILED, State.BOUNCED, State.UNKNOWN, State.SKIPPED)
# What counts one by one; skipped rows count by their reason.
SHOWN = (State.SENT, State.FAILED, State.BOUNCED, State.UNKNOWN, State.DEFERRED)

RATE_OVER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a mailing in numbers.

    Attributes:
        total: every row of the ledger, also the skipped ones.
        bounced: those that the relay had accepted and that came back; they are not among `sent`.
        to_send: those that were not skipped.
        left: those of `to_send` that are not yet in a terminal state; deferred ones are among them.
        per_minute: messages sent a minute, over the last minutes in which it sent; 0 when it does not send.
        skipped: reason → number.
        waiting_because: why nothing leaves just now, in the words for people; empty when nothing is in the way.
    """

    state: Mailing.State
    total: int
    sent: int
    failed: int
    bounced: int
    unknown: int
    deferred: int
    skipped: dict[Delivery.SkipReason, int]
    left: int
    per_minute: float
    waiting_because: str
    next_retry_at: datetime | None

    @property
    def to_send(self) -> int:
        return self.total - sum(self.skipped.values())

    @property
    def percent(self) -> int:
        """Of `to_send`, rounded down, so that 100 means all."""
        return 100 if self.to_send <= 0 else (self.to_send - self.left) * 100 // self.to_send

    @property
    def eta(self) -> timedelta | None:
        """How long the rest takes at the present rate; None when nothing can be said."""
        moving = self.left - self.deferred
        if moving <= 0 or self.per_minute <= 0 or self.waiting_because:
            return None
        return timedelta(minutes=moving / self.per_minute)


def progress(mailing: Mailing) -> Progress:
    """The numbers of this moment. Some statements, none of which reads more than the open rows' index."""
    current = Mailing.objects.select_related("identity__transport").get(pk=mailing.pk)
    counts: Counter[tuple[str, str]] = Counter()
    for state, reason, number in (
        current.tallies.values_list("state", "skip_reason").annotate(number=Sum("count")).order_by()
    ):
        counts[state, reason] = number
    numbers = {state: counts[state, ""] for state in SHOWN}
    skipped = {reason: counts[State.SKIPPED, reason] for reason in Delivery.SkipReason if counts[State.SKIPPED, reason]}
    done = sum(numbers.values()) - numbers[State.DEFERRED]
    to_send = current.total - sum(skipped.values())
    return Progress(
        state=Mailing.State(current.state),
        total=current.total,
        sent=numbers[State.SENT],
        failed=numbers[State.FAILED],
        bounced=numbers[State.BOUNCED],
        unknown=numbers[State.UNKNOWN],
        deferred=numbers[State.DEFERRED],
        skipped=skipped,
        left=max(0, to_send - done),
        per_minute=_per_minute(current),
        waiting_because=wording.said(current.state_reason) or _waiting(current),
        next_retry_at=_next_retry(current) if numbers[State.DEFERRED] else None,
    )


def _waiting(mailing: Mailing) -> str:
    """The limit, or the pause of a transport, that is in the way of a mailing that could go on."""
    return why_waiting(mailing) if mailing.state in (Mailing.State.RUNNING, Mailing.State.PAUSED) else ""


def _per_minute(mailing: Mailing) -> float:
    if mailing.state != Mailing.State.RUNNING:
        return 0.0
    now = clock.now()
    recent = mailing.tallies.filter(state=State.SENT, minute__gt=now - RATE_OVER, count__gt=0)
    rows = list(recent.order_by("minute").values_list("minute", "count"))
    if not rows:
        return 0.0
    # The present minute is not over: the time that has really passed counts.
    return sum(count for _, count in rows) / max((now - rows[0][0]).total_seconds() / 60, 1 / 60)


def _next_retry(mailing: Mailing) -> datetime | None:
    waiting = mailing.deliveries.filter(attention=State.DEFERRED)
    found = waiting.order_by("retry_at").values_list("retry_at", flat=True)
    return found.first()


def log(mailing: Mailing, *, search: str = "", state: str = "", reason: str = "") -> QuerySet[Delivery]:
    """The rows of a mailing, narrowed down; page them with `paginate(rows, ("id",))`.

    Args:
        search: the beginning of an address, in any case.
        state: one of `Delivery.State`; "leased" means all that a worker holds just now, "pending" the others.
        reason: one of `Delivery.SkipReason`.
    """
    if search.strip():
        first = addresses.key_of(search)
        # A range instead of LIKE: both databases find it in the index, and % and _ need no escape.
        rows = mailing.deliveries.filter(address_key__gte=first, address_key__lt=f"{first}\U0010ffff")
    elif reason or state in LOOKED_FOR:
        rows = mailing.deliveries.all()
    elif state == State.LEASED:
        rows = rows_of(mailing, *_leased_range(mailing))
    elif state == State.PENDING:
        rows = rows_of(mailing, _first_that_waits(mailing))
    else:
        rows = rows_of(mailing)
    if reason:
        rows = rows.filter(attention=State.SKIPPED, skip_reason=reason)
    if state in LOOKED_FOR:
        return rows.filter(attention=state)
    match state:
        case State.SENT:
            return rows.filter(state=state)
        case State.LEASED:
            return rows.filter(held(live=True), state=State.PENDING)
        case State.PENDING:
            return rows.filter(~held(live=True), state=State.PENDING)
    return rows


def _leased_range(mailing: Mailing) -> tuple[int, int]:
    """Outside of it no row is held by a worker, so that the others need not be read."""
    ends = mailing.leases.exclude(worker="").aggregate(first=Min("first_id"), last=Max("last_id"))
    return ends["first"] or 0, ends["last"] or 0


def _first_that_waits(mailing: Mailing) -> int:
    """Before it no row is pending that nobody holds, so that those that are done need not be read."""
    current = Mailing.objects.values_list("leased_to", flat=True).get(pk=mailing.pk)
    given_back = mailing.leases.filter(worker="").order_by("first_id").values_list("first_id", flat=True).first()
    came_back = mailing.deliveries.filter(attention=State.PENDING).order_by("pk").values_list("pk", flat=True).first()
    return min([current + 1, *(first for first in (given_back, came_back) if first is not None)])


# Plain SQL, since every sender asks every second.
_TRIED = f"""
SELECT SUM(count), SUM(CASE state WHEN '{State.FAILED}' THEN count ELSE 0 END)
  FROM {Tally._meta.db_table}
 WHERE mailing_id = %s AND minute >= %s AND state IN ('{State.SENT}', '{State.FAILED}', '{State.BOUNCED}')
 GROUP BY minute ORDER BY minute DESC LIMIT %s
"""


def failing_share(mailing: Mailing, over: int) -> tuple[int, int]:
    """Failures and attempts among about the last `over` recipients since the mailing was started or resumed.

    What came back later was an attempt like others; how much does, `came_back` says.
    """
    since = connection.ops.adapt_datetimefield_value(mailing.state_changed_at)
    attempts = failures = 0
    with preparing_cursor() as cursor:
        cursor.execute(_TRIED, [mailing.pk, since, over])
        for tried, failed in cursor.fetchall():
            attempts += int(tried)
            failures += int(failed)
            if attempts >= over:
                break
    return failures, attempts


def came_back(mailing: Mailing) -> tuple[int, int]:
    """Of the messages accepted since the mailing was started or resumed: how many bounced, how many there are.

    A bounce counts in the minute in which its message was accepted, however long it took to come back.
    """
    counted = mailing.tallies.filter(state__in=[State.SENT, State.BOUNCED], minute__gte=mailing.state_changed_at)
    found = counted.aggregate(bounced=Sum("count", filter=Q(state=State.BOUNCED)), accepted=Sum("count"))
    return found["bounced"] or 0, found["accepted"] or 0
