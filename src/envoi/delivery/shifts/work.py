"""Work one shift, from taking it to handing over."""

from __future__ import annotations

import os
import socket

from envoi.core.keys import random_key
from envoi.core.tasks import later
from envoi.delivery import composers
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.actions.standstill import pause_transport
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.queries import roster
from envoi.delivery.relay import RelayNotReady, settings_of
from envoi.delivery.shifts.decisions import RELAY_AWAY
from envoi.delivery.shifts.line import Line
from envoi.delivery.shifts.shift import Shift

SHIFT_SECONDS = 20.0


def work(mailing_id: int, seconds: float = SHIFT_SECONDS) -> None:
    """Send for a mailing up to `seconds`, plus what the answers of the last messages take.

    Does nothing when the mailing does not run, its transport is paused, or another worker has the shift: so it may be
    called as often as one likes.
    """
    mailing = Mailing.objects.select_related("identity__transport").filter(pk=mailing_id).first()
    if mailing is None or mailing.state != Mailing.State.RUNNING or mailing.identity.transport.paused_at:
        return
    worker = worker_name()
    connections = roster.sign_on(worker, mailing)
    if not connections:
        return
    try:
        shift = _send(mailing, worker, connections, seconds)
    finally:
        roster.sign_off(worker)
    if shift is not None:
        _hand_over(shift)


def worker_name() -> str:
    """Host, process and a random part: never the same twice, so a worker that lost its lease cannot mistake itself."""
    return f"{socket.gethostname()[:30]}:{os.getpid()}:{random_key()[:12]}"


def _send(mailing: Mailing, worker: str, connections: int, seconds: float) -> Shift | None:
    transport = mailing.identity.transport
    try:
        settings = settings_of(transport)
    except RelayNotReady as error:
        pause_transport(transport, reason=str(error), actor=None, retry_after=RELAY_AWAY)
        return None
    try:
        compose = composers.named(mailing.composer).open(mailing)
    except Exception as error:
        mailings.pause_for_fault(mailing, error)
        return None
    line = Line(settings, connections, transport.messages_per_connection)
    shift = Shift(mailing, worker, compose, line, seconds)
    try:
        with line:
            shift.run()
    finally:
        shift.give_back()
    return shift


def _hand_over(shift: Shift) -> None:
    if shift.more is not None:
        later("delivery.send_shift", mailing_id=shift.mailing.pk, run_after=shift.more)
        return
    mailing = Mailing.objects.select_related("identity__transport").get(pk=shift.mailing.pk)
    if mailing.state == Mailing.State.CANCELLED:
        mailings.skip_waiting(mailing)
    elif mailing.state == Mailing.State.RUNNING and not mailings.finish_if_done(mailing):
        # Resumed while this worker was still ending because of the pause: the order of then found the shift taken.
        waiting = mailing.deliveries.filter(state=Delivery.State.PENDING).exists()
        if waiting and not mailing.identity.transport.paused_at:
            later("delivery.send_shift", mailing_id=mailing.pk)
