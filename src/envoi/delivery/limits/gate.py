"""The gate before the window: which of the next rows may go now, which later, and when to ask again.

Guarantee: a transport without limits costs no query and no work per row. Rates, runs and days are counted in rows that
all workers on all machines share, so that together they keep what one of them would.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice

from django.db import OperationalError, transaction

from envoi.core import clock
from envoi.core.tasks import later
from envoi.delivery.composers import Leased
from envoi.delivery.limits import hindrances, warm_up, windows
from envoi.delivery.limits.at_providers import Among, AtProviders, PutOff
from envoi.delivery.limits.providers import domain_of
from envoi.delivery.limits.rates import AHEAD, Taken
from envoi.delivery.machine import elapsed
from envoi.delivery.models import Mailing, Pace, Transport
from envoi.delivery.queries import pace, provider_paces, routes
from envoi.delivery.queries import warm_up as days
from envoi.delivery.queries.mail_domains import groups
from envoi.delivery.smtp import Accepted, FaultKind, NotSent, Phase, Refused, Reply
from envoi.delivery.smtp import Unknown as NoAnswer
from envoi.delivery.smtp.too_fast import asks_for_less

logger = logging.getLogger("envoi.delivery")

# When nobody knows how long to wait: whoever ends the hindrance wakes the mailing, this is only for the forgotten.
AN_HOUR = timedelta(hours=1)
MEASURED_OVER = 10.0
# Of the rows let through at once so many are kept for that: all of them were 8 MB when a window moves on by hundreds.
SAMPLE = 100
# So many complaints in succession, of so many domains, and nothing accepted between: that is the relay itself.
RELAY_ITSELF = 10
DOMAINS_OF_RELAY = 3


@dataclass(frozen=True, slots=True)
class Admission:
    """What becomes of the next rows.

    Attributes:
        go: rows that may be offered, each with its slot in seconds of `elapsed` (0.0: at once).
        put_off: rows that may not be offered before a moment, and why, for a person.
        left: how many at the end of the given rows are neither; they stay where they are.
        next_at: when to ask again for those; None when only room was missing.
    """

    go: list[tuple[Leased, float]]
    put_off: list[PutOff] = field(default_factory=list)
    left: int = 0
    next_at: datetime | None = None


class Gate:
    """One shift's way through the limits of its transport. All calls come from the worker's thread.

    Attributes:
        limited: whether anything limits the transport or the mailing.
        waits_until: after `portion` has given 0, when to ask again.
        refused_by_relay: set when the relay itself, not a receiver behind it, seems to ask for less: pause it.
    """

    def __init__(self, mailing: Mailing, transport: Transport, worker: str = "") -> None:
        self.waits_until: datetime | None = None
        self.refused_by_relay: Reply | None = None
        self._providers = AtProviders(worker)
        # When, some of the addresses, and for how many each stands.
        self._lately: deque[tuple[float, list[str], float]] = deque(maxlen=50)
        self._complaints: dict[str, Reply] = {}
        self._complaining: list[str] = []
        self._admitted = 0
        self._unused = 0
        self._day: date | None = None
        self.look(mailing, transport)

    def look(self, mailing: Mailing, transport: Transport) -> None:
        """Follow what has changed: both as they were just read, about once a second."""
        self._mailing, self._transport, self._identity = mailing, transport, mailing.identity
        self._personal = mailing.priority >= Mailing.Priority.PERSONAL
        self._hours = None if self._personal else hindrances.hours_of(transport)
        self._of_run = pace.in_portions(transport) and not self._personal
        self._plan = hindrances.plan_of(self._identity)
        self._zone = hindrances.zone() if self._plan else None
        self._step = pace.interval(transport)
        if transport.minds_providers or self._providers.mind:
            self._providers.refresh(transport)
        self.limited = bool(self._step or self._hours or self._of_run or self._plan or self._providers.mind)

    def portion(self, wanted: int, seconds: float = 20.0) -> int:
        """How many rows, of `wanted`, may be leased for the next `seconds`: what is leased, nobody else can send.

        Of 0, `waits_until` says when to ask again.
        """
        self.waits_until = None
        if not self.limited:
            return wanted
        now = clock.now()
        found = self._held_up(now)
        if found is not None:
            self.waits_until = found.until or now + AN_HOUR
            return 0
        allowed = self._allowed(now)
        if allowed is not None and not self._personal:
            wanted = min(wanted, days.left_of_day(self._identity, self._today(now), allowed))
        if self._of_run:
            row = Pace.objects.filter(transport=self._transport).first()
            wanted = min(wanted, pace.left_of_run(self._transport, row, now))
        if self._step:
            wanted = min(wanted, int(max(0.0, seconds) / self._step.total_seconds()) + 1)
        return wanted

    def admit(self, rows: Sequence[Leased], room: int) -> Admission:
        """Let up to `room` of the next rows through, in their order. Rows put off take no room.

        Fewer rows than `room` are taken for the last there are: they may wait in place instead of being put off.
        """
        self._tell()
        wanted = min(room, len(rows))
        if not self.limited:
            admission = Admission([(row, 0.0) for row in islice(rows, wanted)], left=len(rows) - wanted)
        else:
            admission = self._admit(rows, wanted, last=len(rows) < room)
        self._admitted += len(admission.go)
        self._lately.append((elapsed(), *_sampled(admission.go)))
        return admission

    @property
    def attentive(self) -> bool:
        """Whether that a message was accepted tells it anything."""
        return bool(self._complaining) or (self.limited and self._providers.mind)

    def settled(self, row: Leased, outcome: object) -> None:
        """Learn from what came of a row that was let through. Touches no database."""
        if self.limited and self._providers.mind:
            self._providers.settled(row)
        # By far the most, so it costs a comparison.
        if outcome.__class__ is Accepted:
            if self._complaining:
                self._complaining.clear()
            return
        match outcome:
            case Refused(reply, phase):
                if asks_for_less(reply, phase):
                    self._complained(row, reply)
            case NoAnswer():
                pass
            case NotSent(error, phase) if phase > Phase.AUTH and error.kind is not FaultKind.WITHHELD:
                pass
            case _:
                self._unused += 1

    def close(self) -> None:
        """Give back what was counted and not used; note what went this way."""
        try:
            self._tell()
            if self._admitted:
                routes.count(self._identity, self._transport, self._admitted)
        except OperationalError as error:
            # Counts too high by what one turn had in hand: the next day or run puts that right.
            logger.warning("What was not sent could not be given back to the limits: %s", error)

    # What hinders, and what is allowed.

    def _held_up(self, now: datetime) -> hindrances.Hindrance | None:
        row = Pace.objects.filter(transport=self._transport).first() if self._step or self._of_run else None
        found = hindrances.of_transport(self._transport, row, now, personal=self._personal)
        if found is None and self._plan is not None and not self._personal:
            found = hindrances.of_warm_up(self._identity, now)
        return found

    def _today(self, now: datetime) -> date:
        return now.astimezone(self._zone).date()

    def _allowed(self, now: datetime) -> int | None:
        return warm_up.allowed(self._plan, self._today(now)) if self._plan else None

    # Letting through.

    def _admit(self, rows: Sequence[Leased], wanted: int, *, last: bool) -> Admission:
        now, moment, again_at = clock.now(), elapsed(), None
        with transaction.atomic():
            taken = self._take(wanted, now)
            if self._providers.mind:
                among = Among(self._personal, last)
                timed, put_off, again_at = self._providers.divide(self._transport, rows, taken.slots, now, among)
            else:
                timed, put_off = list(zip(rows, taken.slots, strict=False)), []
            self._return_tail(taken, len(timed), now)
        go = [(row, moment + max(0.0, (slot - now).total_seconds())) for row, slot in timed]
        left = len(rows) - len(go) - len(put_off)
        if left > 0 and again_at is None and len(taken.slots) < wanted:
            again_at = self._again_at(taken, now)
        return Admission(go, put_off, left, again_at)

    def _take(self, wanted: int, now: datetime) -> Taken:
        """Slots within the hours, the run, the day and the rate."""
        closing = None
        if self._hours is not None:
            if windows.opens_at(self._hours, now) != now:
                return Taken([], now)
            closing = windows.closes_at(self._hours, now)
        taken = pace.reserve(self._transport, wanted, personal=self._personal, of_run=self._of_run)
        useful = sum(slot < closing for slot in taken.slots) if closing else len(taken.slots)
        allowed = self._allowed(now)
        if allowed is not None:
            self._day = self._today(now)
            useful = days.take_of_day(self._identity, self._day, allowed, useful, personal=self._personal)
        if useful < len(taken.slots):
            pace.return_tail(self._transport, taken, useful, personal=self._personal, of_run=self._of_run)
            taken = Taken(taken.slots[:useful], taken.slots[useful])
        return taken

    def _return_tail(self, taken: Taken, used: int, now: datetime) -> None:
        """What rows that were put off did not need."""
        spare = len(taken.slots) - used
        if spare:
            pace.return_tail(self._transport, taken, used, personal=self._personal, of_run=self._of_run)
            if self._allowed(now) is not None and self._day is not None:
                days.return_to_day(self._identity, self._day, spare)

    def _again_at(self, taken: Taken, now: datetime) -> datetime:
        found = self._held_up(now)
        if found is not None and found.kind is not hindrances.Kind.RATE:
            return found.until or now + AN_HOUR
        return max(now, taken.next_at - AHEAD)

    # Learning.

    def _complained(self, row: Leased, reply: Reply) -> None:
        domain = domain_of(row.address_key)
        self._complaints[domain] = reply
        self._complaining.append(domain)
        if len(self._complaining) >= RELAY_ITSELF and len(set(self._complaining)) >= DOMAINS_OF_RELAY:
            self.refused_by_relay = reply

    def _tell(self) -> None:
        """Let all workers know what the answers say, and give back what was not offered."""
        if self._unused:
            unused, self._unused = self._unused, 0
            if self._of_run:
                pace.return_to_run(self._transport, unused)
            if self._day is not None:
                days.return_to_day(self._identity, self._day, unused)
        if not self._complaints:
            return
        complaints, self._complaints = self._complaints, {}
        known = groups(complaints)
        for provider, reply in {known[domain]: reply for domain, reply in complaints.items()}.items():
            rule = self._providers.rule(provider)
            measured = self._measured(provider)
            rate = min(rule.per_second, measured) if rule and rule.per_second else measured
            at_once = (rule.at_once if rule else None) or self._transport.max_connections
            provider_paces.slow_down(self._transport, provider, rate, at_once, str(reply))
            logger.warning("%s asks for less mail over “%s”: %s", provider, self._transport, reply)
        if any(known[domain] == domain for domain in complaints):
            later("delivery.look_up_domains", mailing_id=self._mailing.pk)
        self.look(self._mailing, self._transport)

    def _measured(self, provider: str) -> float:
        """Messages a second that went to `provider` lately, over all shifts of the transport as if they were alike."""
        now = elapsed()
        lately = [entry for entry in self._lately if now - entry[0] <= MEASURED_OVER]
        domains = [(domain_of(address), weight) for _, addresses, weight in lately for address in addresses]
        known = groups({domain for domain, _ in domains})
        number = sum(weight for domain, weight in domains if known[domain] == provider)
        shifts = provider_paces.share_of_shift(self._transport, "")[1]
        return number * shifts / max(1.0, now - lately[0][0]) if lately else 0.0


def _sampled(go: Sequence[tuple[Leased, float]]) -> tuple[list[str], float]:
    """At most `SAMPLE` of their addresses, evenly, and for how many rows each stands."""
    step = -(-len(go) // SAMPLE) or 1
    addresses = [row.address_key for row, _ in islice(go, 0, None, step)]
    return addresses, len(go) / max(1, len(addresses))
