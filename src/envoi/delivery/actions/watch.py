"""The watchdog: whatever died, is due or was forgotten goes on. Repeatable; every step costs a few statements.

Order: first what dead workers of this machine wrote down, then what the leases of all others leave to be concluded, so
that the later steps see it.
"""

from __future__ import annotations

import logging

from django.db.models import Exists, F, OuterRef, Q

from envoi.core import clock, wording
from envoi.core.tasks import later, later_unless_waiting
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.actions.doubts import settle_by_evidence, settle_by_rule
from envoi.delivery.actions.replay import replay_all
from envoi.delivery.actions.restored import hold_if_restored
from envoi.delivery.actions.standstill import resume_transport
from envoi.delivery.limits.routes import has_way
from envoi.delivery.models import Delivery, Lease, Mailing, Shift, Transport
from envoi.delivery.queries import provider_paces
from envoi.delivery.queries.leftover import reclaim
from envoi.delivery.queries.portions import end_unused_runs
from envoi.delivery.queries.ranges import due_mailings, held

logger = logging.getLogger("envoi.delivery")


def watch() -> None:
    """Do everything once."""
    replay_all()
    hold_if_restored()
    take_back()
    settle_by_evidence()
    settle_by_rule()
    resume_transports()
    provider_paces.tidy()
    end_unused_runs()
    for mailing in with_open_rows(Mailing.State.CANCELLED):
        mailings.skip_waiting(mailing)
    for mailing in with_open_rows(Mailing.State.FINISHED):
        logger.error("Mailing %s was finished while rows were open; it goes on", mailing.pk)
        mailings.reopen(
            mailing, actor=None, reason=wording.gettext("Some recipients were still open; sending goes on.")
        )
    wake_or_finish()


def take_back() -> None:
    """Rows of workers that no longer renew their lease: unsent ones wait again, those about to be sent are unknown."""
    Shift.objects.filter(until__lte=clock.now()).delete()
    detail = wording.gettext("The worker stopped between handing the message over and the answer; it may have arrived.")
    while reclaim(detail):
        pass


def resume_transports() -> None:
    """Transports whose time to try again has come."""
    for transport in Transport.objects.filter(paused_at__isnull=False, resume_at__lte=clock.now()):
        resume_transport(transport, actor=None)


def with_open_rows(state: Mailing.State) -> list[Mailing]:
    """Mailings in `state` that have rows which no worker holds and which are not settled, as far as indexes tell."""
    waiting = Delivery.objects.filter(~held(live=True), mailing=OuterRef("pk"), attention__in=Delivery.OPEN)
    free = Lease.objects.filter(mailing=OuterRef("pk"), worker="")
    unseen = Q(leased_to__lt=F("last_id"))
    return list(Mailing.objects.filter(unseen | Exists(free) | Exists(waiting), state=state))


def wake_or_finish() -> None:
    """Order a shift for each running mailing that has due rows and no worker; finish those without open rows."""
    due = set(due_mailings().values_list("pk", flat=True))
    running = Mailing.objects.filter(state=Mailing.State.RUNNING).select_related("identity__transport")
    for mailing in running.order_by("pk"):
        if mailing.pk not in due:
            mailings.finish_if_done(mailing)
        elif has_way(mailing) and not mailing.shifts.exists():
            wake(mailing)


def wake(mailing: Mailing) -> None:
    """Call whoever sends it; one call is enough for all broadcasts, however often the watchdog looks."""
    if mailing.priority >= Mailing.Priority.PERSONAL:
        later("delivery.send_personal", mailing_id=mailing.pk)
    else:
        later_unless_waiting("delivery.send_shift", mailing_id=mailing.pk)
