"""Which broadcasts there are."""

from __future__ import annotations

from django.db.models import QuerySet

from envoi.broadcasts.models import Broadcast


def search(text: str = "", status: str = "", channel: str = "") -> QuerySet[Broadcast]:
    """Broadcasts whose subject holds `text`, of that status and channel ("" = any), in no order."""
    found = Broadcast.objects.select_related("mailing", "created_by")
    if text.strip():
        found = found.filter(subject__icontains=text.strip())
    if status:
        found = found.filter(status=status)
    if channel:
        found = found.filter(channel=channel)
    return found


def of_mailing(mailing_id: int) -> Broadcast | None:
    """The broadcast that ordered this mailing, if one did."""
    return Broadcast.objects.filter(mailing_id=mailing_id).first()
