"""The ways of a sender identity: its own transport and further ones, each with what went over it lately."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import F

from envoi.core import clock
from envoi.delivery.models import Pace, Route, SenderIdentity, Shift, Transport

# When so many are counted, all counts are halved: what was long ago does not have to be made up for.
FORGET_AT = 100_000


@dataclass(frozen=True, slots=True)
class Way:
    """One transport of an identity. `pace` is None when the transport never needed one."""

    transport: Transport
    weight: int
    carried: int
    pace: Pace | None


def ways(identity: SenderIdentity, *, fresh: bool = True) -> list[Way]:
    """All transports of `identity`, its own first. At most three statements.

    Args:
        fresh: read the identity and its transport again, too.
    """
    if fresh:
        identity = SenderIdentity.objects.select_related("transport").get(pk=identity.pk)
    further = list(Route.objects.filter(identity=identity).select_related("transport").order_by("id"))
    transports = [identity.transport, *(route.transport for route in further)]
    limited = [one.pk for one in transports if one.per_second or one.per_hour or one.release == one.Release.QUEUED]
    paces = {pace.pk: pace for pace in Pace.objects.filter(pk__in=limited)} if limited else {}
    own = Way(identity.transport, identity.weight, identity.carried, paces.get(identity.transport.pk))
    return [own, *(Way(one.transport, one.weight, one.carried, paces.get(one.transport.pk)) for one in further)]


def working(transports: Collection[Transport]) -> Counter[int]:
    """How many shifts use each of `transports` just now, by its key."""
    alive = Shift.objects.filter(transport__in=transports, until__gt=clock.now())
    return Counter(alive.values_list("transport", flat=True))


def count(identity: SenderIdentity, transport: Transport, number: int) -> None:
    """Note that so many messages of `identity` went over `transport`. One statement when there is only one way."""
    further = Route.objects.filter(identity=identity)
    if transport.pk != identity.transport_id:
        further.filter(transport=transport).update(carried=F("carried") + number)
    elif further.exists():
        SenderIdentity.objects.filter(pk=identity.pk).update(carried=F("carried") + number)
    else:
        return
    own = SenderIdentity.objects.filter(pk=identity.pk)
    if own.filter(carried__gte=FORGET_AT).exists() or further.filter(carried__gte=FORGET_AT).exists():
        own.update(carried=F("carried") / 2)
        further.update(carried=F("carried") / 2)
