"""The rows that a dead worker left behind, and doubt that evidence may end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from envoi.core import clock
from envoi.delivery.composers import Leased
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.queries.tallies import add_to_tally

State = Delivery.State


def left_by(mailing: Mailing, worker: str) -> list[tuple[Leased, str]]:
    """Rows that still stand under this worker's name, with their state; also those the watchdog called unknown."""
    rows = mailing.deliveries.select_for_update().filter(
        state__in=[State.LEASED, State.IN_DOUBT, State.UNKNOWN], lease_worker=worker
    )
    return [
        (
            Leased(
                row.pk,
                row.key,
                row.address,
                row.address_key,
                row.contact_id,
                # As it was when the row was claimed: the window counts the attempt.
                row.attempts - (row.state != State.LEASED),
                row.first_attempt_at or clock.now(),
                row.lease_epoch,
            ),
            row.state,
        )
        for row in rows.order_by("pk")
    ]


def doubt_again(mailing: Mailing, ids: Collection[int]) -> None:
    """Back from unknown to in doubt, in the transaction that settles them."""
    number = mailing.deliveries.filter(pk__in=ids, state=State.UNKNOWN).update(state=State.IN_DOUBT)
    add_to_tally(mailing, Counter({(str(State.UNKNOWN), ""): -number}))
