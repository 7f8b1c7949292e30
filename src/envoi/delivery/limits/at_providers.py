"""Towards each receiving provider its own rate and its own number of messages at once; the others do not wait for it.

A row whose provider has no room is put off to the end of that provider's queue: as far ahead as the rate says, so that
it comes back about when there is room, but at most `LONGEST`, since rates recover meanwhile.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

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

PutOff = tuple[Leased, datetime, str]


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
        self, transport: Transport, rows: Sequence[Leased], slots: Sequence[datetime], now: datetime, *, personal: bool
    ) -> tuple[list[tuple[Leased, datetime]], list[PutOff]]:
        """The first rows, up to as many as there are slots besides those put off: who goes when, and who has to wait.

        In a transaction; the clocks of the providers in question stay locked until it ends.
        """
        known = groups({domain_of(row.address_key) for row in rows})
        paced = {name for name in known.values() if self.rule(name) is not None}
        clocks = provider_paces.locked(transport, paced) if paced else {}
        go: list[tuple[Leased, datetime]] = []
        put_off: list[PutOff] = []
        for row in rows:
            if len(go) >= len(slots):
                break
            provider, slot = known[domain_of(row.address_key)], slots[len(go)]
            clock = clocks.get(provider)
            if clock is None:
                go.append((row, slot))
                continue
            free = self._slot_at(provider, clock, now, personal=personal)
            if free is None:
                put_off.append((row, self._back_at(provider, clock, now), self._why(provider)))
            else:
                go.append((row, max(slot, free)))
                self._on_the_way[row.id] = provider
                self._at_once[provider] += 1
        if clocks:
            provider_paces.save_clocks(clocks)
        return go, put_off

    def settled(self, row: Leased) -> None:
        """The message is no longer on its way."""
        provider = self._on_the_way.pop(row.id, None)
        if provider is not None:
            self._at_once[provider] -= 1
            self._settled[provider] += 1

    def _slot_at(self, provider: str, clock: ProviderPace, now: datetime, *, personal: bool) -> datetime | None:
        """When the provider takes the next message, if that is soon and it may be on its way with the others."""
        rule = self.rule(provider)
        share = self._shares.get(provider, self._shares.get("") if rule is self._rules.get("") else None)
        if share is not None and self._at_once[provider] >= share and not personal:
            return None
        step = interval(rule.per_second) if rule else timedelta(0)
        first = max(clock.next_at, now)
        if not step:
            return now
        if first > now + AHEAD and not personal:
            return None
        clock.next_at = first + step
        return now if personal else first

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
            return _("%(provider)s asked for less mail; its messages leave more slowly.") % {"provider": provider}
        return _("The limit for mail to %(provider)s is reached; its messages follow.") % {"provider": provider}
