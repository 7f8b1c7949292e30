"""Which notices there are, and which stand now."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from envoi.notices.models import Notice


def not_over(now: datetime) -> QuerySet[Notice]:
    """Notices that somebody sees or will see."""
    return Notice.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), withdrawn_at=None)


def standing(now: datetime) -> QuerySet[Notice]:
    """Notices that are shown at this moment."""
    return not_over(now).filter(starts_at__lte=now)


def by_key(key: str) -> Notice | None:
    """The notice named so to the outside."""
    return Notice.objects.filter(key=key).first()
