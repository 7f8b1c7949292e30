"""Towards each receiving provider its own rate and its own number of messages at once; the others do not wait for it.

A row whose provider has no room is put off to the end of that provider's queue: as far ahead as the rate says, so that
it comes back about when there is room, but at most `LONGEST`, since rates recover meanwhile. Where nothing stands
behind, rows wait in place, which costs no write.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from envoi.core import wording
from envoi.delivery.composers import Leased
from envoi.delivery.limits.providers import domain_of
from envoi.delivery.limits.rates import AHEAD, interval
from envoi.delivery.machine import elapsed
from envoi.delivery.models import ProviderPace, Transport
from envoi.delivery.queries import provider_paces
from envoi.delivery.queries.mail_domains import groups
from envoi.delivery.queries.provider_paces import Rule

LONGEST = timedelta(minutes=10)
# Of providers with a limit at once only: what one conversation surely carries in a second, until it was measured.
PER_CONVERSATION = 2.0

_jitter = random.SystemRandom()

# How soon to look again whether one of those on their way has arrived.
A_MOMENT = timedelta(milliseconds=100)

PutOff = tuple[Leased, datetime, str]


class Among(NamedTuple):
    """What rows come from.

    Attributes:
        personal: they wait for nobody but themselves.
        last: nothing stands behind them that could go instead, so they may wait where they are.
    """

    personal: bool
    last: bool


class Division(NamedTuple):
    """Who goes when, who is put off, and when those wait in vain no longer that are neither."""

    go: list[tuple[Leased, datetime]]
    put_off: list[PutOff]
    again_at: datetime | None


class AtProviders:
    """What one shift knows of providers. Without rules it does nothing."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._rules: dict[str, Rule] = {}
        self._shares: dict[str, int] = {}
        self._on_the_way: dict[int, str] = {}
        self._at_once: Counter[str] = Counter()
        self._settled: Counter[str] = Counter()
        self._since = elapsed()

    @property
    def mind(self) -> bool:
        """Whether any provider has a rule."""
        return bool(self._rules)

    def refresh(self, transport: Transport) -> None:
        """Read the rules, which all workers share, and this shift's part of what may be on its way at once."""
        self._rules = provider_paces.rules(transport) if transport.minds_providers else {}
        if any(rule.at_once for rule in self._rules.values()):
            place, shifts = provider_paces.share_of_shift(transport, self._worker)
            self._shares = {
                name: rule.at_once // shifts + (place < rule.at_once % shifts)
                for name, rule in self._rules.items()
                if rule.at_once
            }
        else:
            self._shares = {}

    def rule(self, provider: str) -> Rule | None:
        """What is in force towards `provider`."""
        return self._rules.get(provider) or self._rules.get("")

    def divide(
        self, transport: Transport, rows: Sequence[Leased], slots: Sequence[datetime], now: datetime, among: Among
    ) -> Division:
        """The first rows, up to as many as there are slots besides those put off: who goes when, and who has to wait.

        In a transaction; the clocks of the providers in question stay locked until it ends.
        """
        known = groups({domain_of(row.address_key) for row in rows})
        paced = {name for name in known.values() if self.rule(name) is not None}
        clocks = provider_paces.locked(transport, paced) if paced else {}
        go: list[tuple[Leased, datetime]] = []
        put_off: list[PutOff] = []
        held: list[tuple[Leased, str]] = []
        for row in rows:
            if len(go) >= len(slots):
                break
            provider, slot = known[domain_of(row.address_key)], slots[len(go)]
            free = self._slot_at(provider, clocks[provider], now, among) if provider in clocks else slot
            if free is None:
                held.append((row, provider))
                continue
            # Whoever goes passes those before, so they have to step aside.
            put_off += [self._put_off(one, name, clocks[name], now) for one, name in held]
            held.clear()
            go.append((row, max(slot, free)))
            if provider in clocks:
                self._on_the_way[row.id] = provider
                self._at_once[provider] += 1
        if not among.last:
            put_off += [self._put_off(one, name, clocks[name], now) for one, name in held]
            held.clear()
        if clocks:
            provider_paces.save_clocks(clocks)
        again_at = min((self._again_at(clocks[name], now) for _, name in held), default=None)
        return Division(go, put_off, again_at)

    def settled(self, row: Leased) -> None:
        """The message is no longer on its way."""
        provider = self._on_the_way.pop(row.id, None)
        if provider is not None:
            self._at_once[provider] -= 1
            self._settled[provider] += 1

    def _slot_at(self, provider: str, clock: ProviderPace, now: datetime, among: Among) -> datetime | None:
        """When the provider takes the next message, if that is soon and it may be on its way with the others."""
        rule = self.rule(provider)
        share = self._shares.get(provider, self._shares.get("") if rule is self._rules.get("") else None)
        if share is not None and self._at_once[provider] >= share and not among.personal:
            return None
        step = interval(rule.per_second) if rule else timedelta(0)
        first = max(clock.next_at, now)
        if not step:
            return now
        if first > now + AHEAD and not among.personal:
            return None
        clock.next_at = first + step
        return now if among.personal else first

    def _put_off(self, row: Leased, provider: str, clock: ProviderPace, now: datetime) -> PutOff:
        return row, self._back_at(provider, clock, now), self._why(provider)

    def _again_at(self, clock: ProviderPace, now: datetime) -> datetime:
        return max(clock.next_at - AHEAD, now + A_MOMENT)

    def _back_at(self, provider: str, clock: ProviderPace, now: datetime) -> datetime:
        """The end of the provider's queue."""
        rule = self.rule(provider)
        rate = rule.per_second if rule else None
        if rate is None:
            passed = max(1.0, elapsed() - self._since)
            rate = max(PER_CONVERSATION * ((rule.at_once if rule else 0) or 1), self._settled[provider] / passed)
        end = max(clock.put_off_to, clock.next_at, now) + timedelta(seconds=1 / rate)
        if end > now + LONGEST:
            # Not all at the same moment.
            return now + LONGEST * _jitter.uniform(0.75, 1.25)
        clock.put_off_to = end
        return end

    def _why(self, provider: str) -> str:
        rule = self.rule(provider)
        if rule is not None and rule.slowed:
            return wording.gettext(
                "%(provider)s asked for less mail; its messages leave more slowly.", provider=provider
            )
        return wording.gettext("The limit for mail to %(provider)s is reached; its messages follow.", provider=provider)
