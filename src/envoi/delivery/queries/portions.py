"""How transports that send in portions stand: what a run still holds, and whether anything waits for the next one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from envoi.core import clock
from envoi.delivery.models import Mailing, Pace, SenderIdentity, Transport
from envoi.delivery.queries import pace as paces
from envoi.delivery.queries import turns


@dataclass(frozen=True, slots=True)
class Portion:
    """The run of a transport.

    Attributes:
        size: messages of a portion.
        left: those that the present run still holds, or the one that begins by itself now.
        waiting: whether messages are due that may go over the transport.
        next_at: when the next run begins by itself; None when only a person or cron begins it.
    """

    size: int
    left: int
    waiting: bool
    next_at: datetime | None

    @property
    def under_way(self) -> bool:
        return self.left > 0 and self.waiting

    @property
    def taken(self) -> int:
        """Messages that left, or are about to."""
        return max(0, self.size - self.left)


def portion_of(transport: Transport) -> Portion:
    """How `transport`, which sends in portions, stands now. Two statements."""
    now, pace = clock.now(), Pace.objects.filter(transport=transport).first()
    return Portion(
        size=transport.portion or paces.ALL,
        left=paces.left_of_run(transport, pace, now),
        waiting=waiting_over([transport.pk]).exists(),
        next_at=paces.run_due_at(transport, pace, now),
    )


def waiting_over(transports: Collection[int]) -> QuerySet[Mailing]:
    """Broadcasts with rows to send now of which one of these transports is a way."""
    senders = SenderIdentity.objects.filter(Q(transport__in=transports) | Q(routes__transport__in=transports))
    return turns.waiting().filter(identity__in=senders.values("pk"))


def end_unused_runs() -> None:
    """End runs that a person or cron began and that nothing is left for: mail that begins later waits for the next."""
    begun = Pace.objects.filter(
        run_left__gt=0, transport__release=Transport.Release.QUEUED, transport__portion_minutes=None
    )
    for transport in Transport.objects.filter(pk__in=begun.values("pk")):
        if not waiting_over([transport.pk]).exists():
            paces.end_run(transport)
