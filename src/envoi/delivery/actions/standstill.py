"""Pause a transport that refuses us or cannot be reached, and let it go on. Nobody loses a message by it."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.core import clock
from envoi.core.events import announce
from envoi.core.tasks import later
from envoi.delivery.events import TransportPaused, TransportResumed
from envoi.delivery.models import Mailing, SenderIdentity, Transport


def pause_transport(
    transport: Transport, *, reason: str, actor: User | None, retry_after: timedelta | None = None
) -> bool:
    """Carry nothing more over `transport`.

    Args:
        reason: what the server said, or what hinders as `wording` keeps it; mailings that wait show it.
        retry_after: when it is tried again by itself; None leaves it to a person.

    False when it is paused already: the first reason stays.
    """
    now = clock.now()
    resume_at = now + retry_after if retry_after else None
    with transaction.atomic():
        if not Transport.objects.filter(pk=transport.pk, paused_at=None).update(
            paused_at=now, paused_reason=reason, resume_at=resume_at
        ):
            return False
        transport.paused_at, transport.paused_reason, transport.resume_at = now, reason, resume_at
        audit.record(actor, "pause", transport, reason=reason)
        announce(TransportPaused(transport.pk, reason))
    return True


def resume_transport(transport: Transport, *, actor: User | None) -> bool:
    """Let the transport and the mailings that wait for it go on. False when it is not paused."""
    with transaction.atomic():
        if not Transport.objects.filter(pk=transport.pk, paused_at__isnull=False).update(
            paused_at=None, paused_reason="", resume_at=None
        ):
            return False
        transport.paused_at, transport.paused_reason, transport.resume_at = None, "", None
        audit.record(actor, "resume", transport)
        announce(TransportResumed(transport.pk))
        wake_waiting(transport)
    return True


def wake_waiting(transport: Transport) -> None:
    """Order a turn for the running mailings that may go over `transport`: what they waited for may be gone."""
    senders = SenderIdentity.objects.filter(Q(transport=transport) | Q(routes__transport=transport))
    waiting = Mailing.objects.filter(identity__in=senders.values("pk"), state=Mailing.State.RUNNING)
    for pk in waiting.values_list("pk", flat=True):
        later("delivery.send_shift", mailing_id=pk)
