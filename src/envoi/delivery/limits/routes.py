"""Over which transport the next turn of a mailing goes, and when one opens that is closed now."""

from __future__ import annotations

from datetime import datetime

from envoi.core import clock
from envoi.delivery.limits import hindrances
from envoi.delivery.limits.hindrances import Hindrance, Kind
from envoi.delivery.models import Mailing, Transport
from envoi.delivery.queries.routes import Way, ways, working

# What a turn that has just begun is taken to carry, so that senders who choose at the same time spread.
WORTH_OF_A_TURN = 1000


def choose(mailing: Mailing) -> Transport | None:
    """The transport for the next turn of `mailing`; None when no way is open just now.

    Of the ways that are open, the one that is furthest behind its share by weight. Those of weight 0 carry only what
    the others cannot: when each is paused, outside its hours, between two runs or at its limit.
    """
    now, personal = clock.now(), _is_personal(mailing)
    if not personal and hindrances.of_warm_up(mailing.identity, now) is not None:
        return None
    found = ways(mailing.identity)
    busy = working([way.transport for way in found]) if len(found) > 1 or found[0].pace else {}
    usable = [
        way for way in found if _hindrance(way, now, personal=personal, shifts=busy.get(way.transport.pk, 0)) is None
    ]
    usable = [way for way in usable if way.weight] or usable
    if not usable:
        return None
    return min(usable, key=lambda way: _load(way, busy.get(way.transport.pk, 0))).transport


def opens_at(mailing: Mailing) -> datetime | None:
    """When `choose` may give a transport again: the earliest moment that is known.

    None: one is open now, or only a person or cron opens it.
    """
    found = _in_the_way(mailing, worth_telling=False)
    moments = [one.until for one in found if one.until is not None]
    return min(moments, default=None)


def has_way(mailing: Mailing) -> bool:
    """Whether any transport of a mailing that was just read is not paused: it goes on by itself, now or later."""
    return any(not way.transport.paused_at for way in ways(mailing.identity, fresh=False))


def why_waiting(mailing: Mailing) -> str:
    """Why nothing of a running mailing leaves just now, for people; "" when no limit is in the way.

    `mailing` has just been read, with its identity and transport. One statement when there are no limits.
    """
    found = _in_the_way(mailing, worth_telling=True)
    # What ends first is what people want to know.
    ending = sorted((one for one in found if one.until is not None), key=lambda one: one.until or clock.now())
    return next((one.text for one in [*ending, *found] if one.text), "")


def _in_the_way(mailing: Mailing, *, worth_telling: bool) -> list[Hindrance]:
    """What hinders each way, or the sender as such; nothing when one is open."""
    now, personal = clock.now(), _is_personal(mailing)
    warming = None if personal else hindrances.of_warm_up(mailing.identity, now)
    if warming is not None:
        return [warming]
    found = []
    for way in ways(mailing.identity, fresh=not worth_telling):
        one = _hindrance(way, now, personal=personal, shifts=0)
        if one is None or (worth_telling and one.kind is Kind.RATE and not one.text):
            return []
        found.append(one)
    return found


def _hindrance(way: Way, now: datetime, *, personal: bool, shifts: int) -> Hindrance | None:
    return hindrances.of_transport(way.transport, way.pace, now, personal=personal, worked=shifts > 0)


def _load(way: Way, shifts: int) -> float:
    return (way.carried + shifts * WORTH_OF_A_TURN) / max(way.weight, 1)


def _is_personal(mailing: Mailing) -> bool:
    return mailing.priority >= Mailing.Priority.PERSONAL
