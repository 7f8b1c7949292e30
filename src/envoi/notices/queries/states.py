"""In which state a notice is, and which notices are in one."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from envoi.notices.models import Notice
from envoi.notices.queries.standing import not_over, standing

SCHEDULED, SHOWN, ENDED, WITHDRAWN = "scheduled", "shown", "ended", "withdrawn"


def state_of(notice: Notice, now: datetime) -> str:
    """One of the four."""
    if notice.is_withdrawn:
        return WITHDRAWN
    if notice.ends_at is not None and notice.ends_at <= now:
        return ENDED
    return SHOWN if notice.starts_at <= now else SCHEDULED


def in_state(state: str, now: datetime) -> QuerySet[Notice]:
    """The notices in this state; all for ""."""
    if state == SCHEDULED:
        return not_over(now).filter(starts_at__gt=now)
    if state == SHOWN:
        return standing(now)
    if state == ENDED:
        return Notice.objects.filter(withdrawn_at=None, ends_at__lte=now)
    return Notice.objects.exclude(withdrawn_at=None) if state == WITHDRAWN else Notice.objects.all()
