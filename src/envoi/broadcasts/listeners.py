"""Keep the status of a broadcast in step with what delivery announces of its mailing."""

from __future__ import annotations

from django.db.models import QuerySet

from envoi.broadcasts.events import BroadcastFinished
from envoi.broadcasts.models import Broadcast
from envoi.core import clock, events
from envoi.delivery.events import MailingCancelled, MailingFinished, MailingPaused, MailingResumed

Status = Broadcast.Status


def register() -> None:
    """Listen from now on; called once, when the app is ready."""
    events.on(MailingPaused, paused)
    events.on(MailingResumed, resumed)
    events.on(MailingCancelled, cancelled)
    events.on(MailingFinished, finished)


def paused(event: MailingPaused) -> None:
    """Sending waits."""
    _of(event.mailing_id).filter(status=Status.SENDING).update(status=Status.PAUSED)


def resumed(event: MailingResumed) -> None:
    """Sending goes on, also of a broadcast that had finished and has recipients to try again."""
    _of(event.mailing_id).filter(status__in=[Status.PAUSED, Status.FINISHED]).update(
        status=Status.SENDING, finished_at=None
    )


def cancelled(event: MailingCancelled) -> None:
    """Nobody else will get it."""
    _end(event.mailing_id, Status.CANCELLED)


def finished(event: MailingFinished) -> None:
    """Everybody got it, or it is known why not."""
    _end(event.mailing_id, Status.FINISHED)


def _end(mailing_id: int, status: Broadcast.Status) -> None:
    running = _of(mailing_id).filter(status__in=[Status.SENDING, Status.PAUSED])
    ended = list(running.values_list("pk", flat=True))
    running.update(status=status, finished_at=clock.now())
    for pk in ended:
        events.announce(BroadcastFinished(pk, cancelled=status == Status.CANCELLED))


def _of(mailing_id: int) -> QuerySet[Broadcast]:
    # One that stands on dashboards goes on to stand there, whatever becomes of its e-mail.
    return Broadcast.objects.filter(mailing_id=mailing_id, notice=None)
