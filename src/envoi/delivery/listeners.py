"""Follow what delivery itself announces."""

from __future__ import annotations

from datetime import timedelta

from envoi.core import clock, events
from envoi.core.tasks import later
from envoi.delivery.events import MailingStarted
from envoi.delivery.models import Mailing, Transport

# The first messages have something better to do with the processors.
FIRST_THE_MAIL = timedelta(seconds=15)


def register() -> None:
    """Listen from now on; called once, when the app is ready."""
    events.on(MailingStarted, started)


def started(event: MailingStarted) -> None:
    """Find out who receives the mail of its recipients. What goes into the sandbox goes to nobody."""
    mailing = Mailing.objects.select_related("identity__transport").get(pk=event.mailing_id)
    identity = mailing.identity
    ways = [identity.transport, *Transport.objects.filter(routes__identity=identity)]
    if mailing.total and any(way.kind == Transport.Kind.SMTP for way in ways):
        later("delivery.look_up_domains", mailing_id=mailing.pk, run_after=clock.now() + FIRST_THE_MAIL)
