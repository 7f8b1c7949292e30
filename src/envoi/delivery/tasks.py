"""The background work of delivery: shifts, and the watchdog that leaves no row behind."""

from __future__ import annotations

from envoi.core.tasks import later, task
from envoi.delivery.actions.mail_domains import look_up_domains as look_up
from envoi.delivery.actions.watch import watch
from envoi.delivery.models import Mailing
from envoi.delivery.queries.turns import is_personal
from envoi.delivery.shifts.work import take_turns, work


@task("delivery.send_shift", queue="sending")
def send_shift(mailing_id: int = 0) -> None:
    """Send for whichever broadcasts are due, turn by turn; asks for itself again while work remains.

    `mailing_id` says what changed. Personal mail has its own queue, wherever it was asked for.
    """
    if is_personal(mailing_id):
        later("delivery.send_personal", mailing_id=mailing_id)
    else:
        take_turns(mailing_id)


@task("delivery.send_personal", queue="personal")
def send_personal(mailing_id: int) -> None:
    """Send one mailing that somebody waits for."""
    work(mailing_id)


@task("delivery.watchdog")
def watchdog() -> None:
    """Take back what dead workers held, wake what waits, finish what is done."""
    watch()


@task("delivery.look_up_domains", attempts=2)
def look_up_domains(mailing_id: int) -> None:
    """Find out who receives the mail of a mailing's domains."""
    mailing = Mailing.objects.filter(pk=mailing_id).first()
    if mailing is not None:
        look_up(mailing)
