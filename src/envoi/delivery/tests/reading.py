"""What tests read of the ledger: who stands how, and what was counted."""

from __future__ import annotations

from envoi.delivery.models import Mailing
from envoi.delivery.queries.ranges import show_who_is_being_sent


def states(mailing: Mailing) -> dict[str, str]:
    rows = list(mailing.deliveries.all())
    show_who_is_being_sent(rows)
    return {row.address.partition("@")[0]: row.skip_reason or row.state for row in rows}


def tallied(mailing: Mailing) -> dict[str, int]:
    counts: dict[str, int] = {}
    for tally in mailing.tallies.all():
        counts[tally.state] = counts.get(tally.state, 0) + tally.count
    return {state: count for state, count in counts.items() if count}


def people(number: int) -> list[str]:
    return [f"p{index:03}@example.net" for index in range(number)]
