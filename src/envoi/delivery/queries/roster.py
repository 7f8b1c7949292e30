"""Which workers send just now."""

from __future__ import annotations

from django.db import transaction

from envoi.core import clock
from envoi.delivery.models import Mailing, Shift
from envoi.delivery.queries.leases import LEASE


def sign_on(worker: str, mailing: Mailing) -> int:
    """Take the shift of `mailing`; how many connections are its share, 0 when another worker has the shift.

    The share is the transport's connections divided by the shifts that use it at this moment; a shift lasts seconds, so
    the shares of those that began earlier are soon put right.
    """
    now = clock.now()
    transport = mailing.identity.transport
    with transaction.atomic():
        Shift.objects.filter(until__lte=now).delete()
        if Shift.objects.filter(mailing=mailing).exists():
            return 0
        others = Shift.objects.filter(transport=transport).count()
        Shift.objects.create(worker=worker, mailing=mailing, transport=transport, started_at=now, until=now + LEASE)
    return max(1, transport.max_connections // (others + 1))


def stay_on(worker: str) -> None:
    """Say that the worker is alive."""
    Shift.objects.filter(worker=worker).update(until=clock.now() + LEASE)


def sign_off(worker: str) -> None:
    """Give the shift back."""
    Shift.objects.filter(worker=worker).delete()
