"""Say that somebody's view may have changed: the only place that writes what the stamps are made of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction

from envoi.core import clock
from envoi.notices.models import Change
from envoi.notices.queries import stamps
from envoi.notices.queries.standing import not_over

KEPT = timedelta(hours=1)


def everybody() -> None:
    """Whatever anybody sees is looked at anew."""
    _add(None)


def everybody_if_any() -> None:
    """The same, unless there is no notice that anybody sees or will see."""
    if not_over(clock.now()).exists():
        everybody()


def people(contact_ids: Iterable[int]) -> None:
    """What these few contacts see is looked at anew."""
    _add(*contact_ids)


def tidy() -> int:
    """Take away rows older than an hour; how many. Everybody is told, so that no older stamp comes back."""
    old = Change.objects.filter(at__lt=clock.now() - KEPT)
    with transaction.atomic():
        taken, _by_model = old.delete()
        if taken:
            everybody()
    return taken


def _add(*contact_ids: int | None) -> None:
    now = clock.now()
    Change.objects.bulk_create([Change(contact_id=contact_id, at=now) for contact_id in contact_ids])
    stamps.forget()
    transaction.on_commit(stamps.forget)
