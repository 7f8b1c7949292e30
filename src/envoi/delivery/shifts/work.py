"""Work one shift, from taking it to handing over."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from envoi.core.keys import random_key
from envoi.core.tasks import later
from envoi.delivery import composers, dkim
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.actions.replay import folder, replay, replay_all
from envoi.delivery.actions.restored import count_on, hold_if_restored
from envoi.delivery.actions.standstill import pause_transport
from envoi.delivery.journal import Journal
from envoi.delivery.machine import machine_key
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
    replay_all()
    if hold_if_restored():
        return
    worker = worker_name()
    journal = _open_journal(mailing, worker)
    if journal is None:
        return
    shift, written = None, False
    try:
        # After the journal, so that whoever finds the journal of a dead worker can also free its place.
        if connections := roster.sign_on(worker, mailing):
            count_on()
            shift = _send(mailing, worker, connections, seconds, journal)
        written = shift is None or shift.all_written
    finally:
        journal.close(keep=not written)
        roster.sign_off(worker)
    if not written:
        # Some rows were taken from us meanwhile: what we know of them goes the way of a dead worker's knowledge.
        replay(journal.path)
    if shift is not None:
        _hand_over(shift)


def worker_name() -> str:
    """Host, machine, process and a random part: never the same twice, so that a lost lease cannot be mistaken."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:20]
    return f"{host}:{machine_key(Path(settings.ENVOI_DATA))}:{os.getpid()}:{random_key()[:12]}"


def _send(mailing: Mailing, worker: str, connections: int, seconds: float, journal: Journal) -> Shift | None:
    transport = mailing.identity.transport
    try:
        relay = settings_of(transport)
    except RelayNotReady as error:
        pause_transport(transport, reason=str(error), actor=None, retry_after=RELAY_AWAY)
        return None
    try:
        compose = dkim.signed(composers.named(mailing.composer).open(mailing), dkim.signer())
    except Exception as error:
        mailings.pause_for_fault(mailing, error)
        return None
    line = Line(relay, connections, transport.messages_per_connection, journal, compose.write)
    shift = Shift(mailing, worker, compose, line, seconds)
    try:
        with line:
            shift.run()
    finally:
        shift.give_back()
    return shift


def _open_journal(mailing: Mailing, worker: str) -> Journal | None:
    try:
        return Journal(folder(), worker, mailing.key, synced=settings.ENVOI_JOURNAL_SYNC)
    except OSError as error:
        reason = _(
            "The journal in %(folder)s cannot be written: %(error)s. Check the disk and the rights on the folder."
        )
        text = reason % {"folder": folder(), "error": error.strerror or error}
        pause_transport(mailing.identity.transport, reason=text, actor=None, retry_after=RELAY_AWAY)
        return None


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
