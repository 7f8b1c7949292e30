"""A message to a return path: find the delivery, believe the report or keep it aside.

Guarantees: without the token that the return path of this very delivery carries, nothing has an effect; report and
consequence are committed together, so a message may come again after a crash; nothing is ever answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction

from envoi.bounces import reading
from envoi.bounces.actions.keep_aside import keep_aside
from envoi.bounces.models import KeptAside, Report
from envoi.delivery import return_path
from envoi.delivery.actions.reported import (
    Fate,
    NoSuchDelivery,
    Reported,
    stop_if_too_much_comes_back,
    take_report,
)
from envoi.delivery.models import Delivery

Why = KeptAside.Why

# Of one delivery: whoever got the message knows its return path and could invent any number.
MOST_REPORTS = 20

FATES = {
    reading.Action.FAILED: Fate.FAILED,
    reading.Action.DELAYED: Fate.DELAYED,
    reading.Action.DELIVERED: Fate.ARRIVED,
    reading.Action.RELAYED: Fate.ARRIVED,
    reading.Action.EXPANDED: Fate.ARRIVED,
}


class Effect(StrEnum):
    """What a message did."""

    CHANGED = "changed"
    # It was known already, or said nothing new.
    NOTHING_NEW = "nothing_new"
    # A reply that a person's program wrote; not even kept.
    IGNORED = "ignored"
    KEPT_ASIDE = "kept_aside"


@dataclass(frozen=True, slots=True)
class Received:
    """What came of a message.

    Attributes:
        state: of the delivery, when it changed.
        why: of what was kept aside.
    """

    effect: Effect
    state: Delivery.State | None = None
    why: KeptAside.Why | None = None


def receive(data: bytes, *, sent_to: Sequence[str] = ()) -> Received:
    """Take in one message.

    Args:
        data: as the mail server hands it over; what lies beyond `reading.LARGEST` bytes is not looked at.
        sent_to: the envelope's recipient in whatever forms are known; the head of the message is asked after it.

    Raises:
        envoi.delivery.actions.reported.TooEarly: the message must come again later.
    """
    data = data[: reading.LARGEST]
    head = reading.head(data)
    addresses = [address for address in (*sent_to, *head.sent_to) if address]
    told = addresses[0] if addresses else ""
    delivery_id = _delivery(addresses)
    if not isinstance(delivery_id, int):
        return _aside(delivery_id, data, told, head)
    report = reading.read(data)
    if report == reading.Other.AUTO_REPLY:
        return Received(Effect.IGNORED)
    if not isinstance(report, reading.Report):
        return _aside(Why.COMPLAINT if report == reading.Other.COMPLAINT else Why.NO_REPORT, data, told, head)
    try:
        state = _believe(delivery_id, report)
    except NoSuchDelivery:
        return _aside(Why.GONE, data, told, head)
    if state == Delivery.State.BOUNCED:
        stop_if_too_much_comes_back(delivery_id)
    return Received(Effect.CHANGED if state else Effect.NOTHING_NEW, state)


def _delivery(addresses: Sequence[str]) -> int | KeptAside.Why:
    """The delivery that the first good return path names; or why there is none."""
    why = Why.NOT_OURS
    for address in addresses:
        try:
            return return_path.read(address)
        except return_path.NotAReturnPath:
            if address.strip().strip("<>").lower().startswith(return_path.PREFIX):
                why = Why.FORGED
    return why


def _aside(why: KeptAside.Why, data: bytes, sent_to: str, head: reading.Head) -> Received:
    keep_aside(why, data, sent_to, head)
    return Received(Effect.KEPT_ASIDE, why=why)


def _believe(delivery_id: int, report: reading.Report) -> Delivery.State | None:
    with transaction.atomic():
        address = Delivery.objects.filter(pk=delivery_id).values_list("address", flat=True).first()
        if address is None:
            raise NoSuchDelivery(delivery_id)
        found = reading.about(report, address)
        state = take_report(
            delivery_id,
            Reported(
                fate=FATES[found.action],
                status=found.status,
                code=found.code,
                words=found.words,
                about_address=found.final.lower() in ("", address.lower()),
            ),
        )
        if Report.objects.filter(delivery=delivery_id).count() < MOST_REPORTS:
            Report.objects.get_or_create(delivery_id=delivery_id, action=found.action, status=found.status[:12])
    return state
