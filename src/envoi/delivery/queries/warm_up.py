"""How many messages of a sender identity have left today, while it is warmed up."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.db.models import F

from envoi.delivery.models import SenderIdentity, WarmUpDay


def left_of_day(identity: SenderIdentity, day: date, allowed: int) -> int:
    """How many more may leave on `day`."""
    found = WarmUpDay.objects.filter(identity=identity, day=day).values_list("count", flat=True).first()
    return max(0, allowed - (found or 0))


def take_of_day(identity: SenderIdentity, day: date, allowed: int, wanted: int, *, personal: bool = False) -> int:
    """Count up to `wanted` messages as leaving on `day`; how many may. Personal mail counts and always may."""
    with transaction.atomic():
        mine = WarmUpDay.objects.select_for_update().filter(identity=identity, day=day)
        row = mine.first()
        if row is None:
            WarmUpDay.objects.bulk_create([WarmUpDay(identity=identity, day=day)], ignore_conflicts=True)
            row = mine.get()
        taken = wanted if personal else max(0, min(wanted, allowed - row.count))
        row.count += taken
        row.save(update_fields=["count"])
    return taken


def return_to_day(identity: SenderIdentity, day: date, number: int) -> None:
    """So many of those that were counted surely were not offered to a server."""
    WarmUpDay.objects.filter(identity=identity, day=day, count__gte=number).update(count=F("count") - number)
