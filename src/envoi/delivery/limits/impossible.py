"""Settings that cannot be kept together, or under which mail would never leave: for `envoi check`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from envoi.delivery.models import SenderIdentity, Transport

CHANGE_IT = "Change it under Settings, Sending."


@dataclass(frozen=True, slots=True)
class Doubt:
    """One setting. `stops` says that nothing leaves because of it. In English, as all that commands print."""

    text: str
    hint: str = CHANGE_IT
    stops: bool = False


def doubts_of_transport(transport: Transport) -> Iterator[Doubt]:
    """What does not fit among the limits of a transport."""
    if not set(transport.open_days) & set("1234567"):
        yield Doubt("no day is chosen on which it sends", stops=True)
    if (transport.open_from is None) != (transport.open_until is None):
        yield Doubt("of its hours only one end is set; the other counts as midnight")
    if transport.max_connections < 1:
        yield Doubt("it may have no connection", stops=True)
    if transport.per_second and transport.per_hour and transport.per_second * 3600 < transport.per_hour:
        text = f"{transport.per_hour} messages per hour are more than {transport.per_second} per second allow"
        yield Doubt(f"{text}; the smaller rate holds")
    if transport.release == Transport.Release.QUEUED:
        yield from _of_portions(transport)


def _of_portions(transport: Transport) -> Iterator[Doubt]:
    if transport.portion == 0:
        yield Doubt("its portions hold no message", stops=True)
    if not transport.portion_minutes:
        hint = "Run “envoi send-due” from cron, or set the minutes between runs under Settings, Sending."
        yield Doubt("it sends in portions, and only “envoi send-due” begins one", hint)
        return
    hourly = min((transport.per_second or 0) * 3600 or float("inf"), transport.per_hour or float("inf"))
    if transport.portion and transport.portion > hourly * transport.portion_minutes / 60:
        text = f"a portion of {transport.portion} takes longer at its rate than the {transport.portion_minutes} minutes"
        yield Doubt(f"{text} until the next; the rest of a portion is not made up for")


def doubts_of_sender(identity: SenderIdentity) -> Iterator[Doubt]:
    """What does not fit among routes and warm-up of a sender identity."""
    if identity.warm_up_from is None:
        return
    if identity.warm_up_first < 1:
        yield Doubt("its warm-up allows no message on the first day", stops=True)
    elif identity.warm_up_growth < 1:
        yield Doubt(f"its warm-up does not grow: {identity.warm_up_first} messages a day for ever")
