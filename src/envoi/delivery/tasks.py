"""The background work of delivery: shifts, and the watchdog that leaves no row behind."""

from __future__ import annotations

from envoi.core.tasks import task
from envoi.delivery.actions.watch import watch
from envoi.delivery.shifts.work import work


@task("delivery.send_shift", queue="sending")
def send_shift(mailing_id: int) -> None:
    """Send for one mailing for a bounded time; asks for itself again while work remains."""
    work(mailing_id)


@task("delivery.watchdog")
def watchdog() -> None:
    """Take back what dead workers held, wake what waits, finish what is done."""
    watch()
