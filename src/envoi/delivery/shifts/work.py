"""Turn after turn: which mailing a sender works for, from taking its place to handing over."""

from __future__ import annotations

import os
import re
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection

from envoi.core import clock, wording
from envoi.core.keys import random_key
from envoi.core.tasks import ending, later, later_unless_waiting
from envoi.delivery import composers, dkim
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.actions.replay import folder, goes_aside, may_go, replay, replay_all
from envoi.delivery.actions.restored import begin, hold_if_restored
from envoi.delivery.actions.standstill import pause_transport
from envoi.delivery.journal import Journal
from envoi.delivery.limits.routes import choose, has_way, opens_at
from envoi.delivery.machine import elapsed, machine_key
from envoi.delivery.models import Mailing, Transport
from envoi.delivery.queries import roster, turns
from envoi.delivery.queries.turns import LONG
from envoi.delivery.relay import RelayNotReady, settings_of
from envoi.delivery.shifts.decisions import RELAY_AWAY
from envoi.delivery.shifts.line import Line
from envoi.delivery.shifts.shift import Shift
from envoi.delivery.shifts.window import WINDOW

# How long a personal mailing, and a broadcast, waits for others to close connections: they look once a second.
PATIENCE = 1.5
PERSONAL_PATIENCE = 5.0
TRY_AGAIN = 0.05
# When nothing else is known.
SOON = timedelta(seconds=1)
# Others have all connections: they see to their mailings meanwhile.
WITHOUT_PLACE = timedelta(seconds=5)
NO_PLACE = datetime.max.replace(tzinfo=UTC)


def take_turns(changed: int = 0, seconds: float = LONG.total_seconds()) -> None:
    """Send for the broadcasts that are due, the most urgent first, equals in turn, for about so many seconds.

    Whoever is idle is called to help. May be called as often, and by as many at once, as one likes. The mailing
    `changed` is finished when it turns out that nobody gets it.
    """
    replay_all()
    if hold_if_restored():
        return
    mailing = Mailing.objects.filter(pk=changed, state=Mailing.State.RUNNING).first()
    if mailing is not None and not turns.is_due(mailing):
        mailings.finish_if_done(mailing)
    until = elapsed() + seconds
    blocked: dict[int, datetime | None] = {}
    while (left := until - elapsed()) > 0 and not ending.stopping():
        found = _next(blocked)
        if found is None:
            break
        mailing, transport, before = found
        if mailing.total > mailings.ALONE or turns.waiting().exclude(pk=mailing.pk).exists():
            later_unless_waiting("delivery.send_shift")
        more = _turn(mailing, transport, left)
        if more is NO_PLACE:
            # Whoever holds the connections must see that it still waits.
            turns.put_back(mailing, before)
            more = clock.now() + WITHOUT_PLACE
        if more is None or more > clock.now():
            blocked[mailing.pk] = more
    _pass_on(blocked)


def work(mailing_id: int, seconds: float = LONG.total_seconds()) -> None:
    """Send for one mailing up to `seconds`, plus what the answers of the last messages take.

    Does nothing when the mailing does not run or no transport is open: so it may be called as often as one likes.
    """
    mailing = Mailing.objects.select_related("identity__transport").filter(pk=mailing_id).first()
    if mailing is None or mailing.state != Mailing.State.RUNNING:
        return
    replay_all()
    if hold_if_restored():
        return
    transport = choose(mailing)
    more = opens_at(mailing) if transport is None else _turn(mailing, transport, seconds)
    if more is None:
        return
    if more is NO_PLACE:
        more = clock.now() + SOON
    if mailing.priority >= Mailing.Priority.PERSONAL:
        later("delivery.send_personal", mailing_id=mailing.pk, run_after=more)
    else:
        # Where only `send-due` works, nobody takes these: one is enough.
        later_unless_waiting("delivery.send_shift", run_after=more)


def _next(blocked: dict[int, datetime | None]) -> tuple[Mailing, Transport, datetime | None] | None:
    """The mailing whose turn it is, a way that is open, and when the turn before began.

    To `blocked` it adds those of which no way is open.
    """
    while mailing := turns.waiting().exclude(pk__in=blocked).first():
        transport = choose(mailing)
        if transport is None:
            blocked[mailing.pk] = opens_at(mailing)
            continue
        before = mailing.turn_at
        if turns.take(mailing):
            return mailing, transport, before
    return None


def _pass_on(blocked: dict[int, datetime | None]) -> None:
    """Ask for the next who takes turns: now, or when the first of what is blocked may go on."""
    if turns.waiting().exclude(pk__in=blocked).exists():
        later_unless_waiting("delivery.send_shift")
    elif moments := [moment for moment in blocked.values() if moment is not None]:
        later_unless_waiting("delivery.send_shift", run_after=min(moments))


def _turn(mailing: Mailing, transport: Transport, seconds: float) -> datetime | None:
    """One turn; when the mailing has more to do, None when it has not, as far as this sender knows."""
    worker = worker_name()
    journal = _open_journal(mailing, transport, worker)
    if journal is None:
        return None
    shift, written = None, False
    try:
        # After the journal, so that whoever finds the journal of a dead worker can also free its place.
        connections = roster.sign_on(worker, mailing, transport) or _connections(worker, mailing, transport)
        if connections and not hold_if_restored():
            begin()
            shift = _send(mailing, transport, worker, connections, seconds, journal)
        written = shift is None or (shift.all_written and may_go())
    finally:
        journal.close(keep=not written, aside=shift is not None and goes_aside())
        roster.sign_off(worker)
    if not written:
        # Some rows were taken from us meanwhile, or the database may have forgotten some: what we know of them goes the
        # way of a dead worker's knowledge.
        replay(journal.path)
    if not connections:
        return NO_PLACE
    return _goes_on(shift) if shift is not None else None


def _connections(worker: str, mailing: Mailing, transport: Transport) -> int:
    """What others close for this worker, who is signed on; 0 when that takes too long."""
    personal = mailing.priority >= Mailing.Priority.PERSONAL
    until = elapsed() + (PERSONAL_PATIENCE if personal else PATIENCE)
    while elapsed() < until and not ending.wait(TRY_AGAIN):
        if found := roster.take_connections(worker, mailing, transport):
            return found
    return 0


def worker_name() -> str:
    """Host, machine, process and a random part: never the same twice, so that a lost lease cannot be mistaken."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:20]
    return f"{host}:{machine_key(Path(settings.ENVOI_DATA))}:{os.getpid()}:{random_key()[:12]}"


def _send(
    mailing: Mailing, transport: Transport, worker: str, connections: int, seconds: float, journal: Journal
) -> Shift | None:
    try:
        relay = settings_of(transport)
    except RelayNotReady as error:
        pause_transport(transport, reason=error.kept, actor=None, retry_after=RELAY_AWAY)
        return None
    try:
        compose = dkim.signed(composers.named(mailing.composer).open(mailing), dkim.signer())
    except Exception as error:
        mailings.pause_for_fault(mailing, error)
        return None
    line = Line(relay, connections, transport.messages_per_connection, journal, compose.write)
    shift = Shift(mailing, transport, worker, compose, line, seconds)
    try:
        with line:
            shift.run()
    finally:
        shift.give_back()
    return shift


def _open_journal(mailing: Mailing, transport: Transport, worker: str) -> Journal | None:
    try:
        return Journal(
            folder(), worker, mailing.key, synced=settings.ENVOI_JOURNAL_SYNC, keeps_window=_keeps_window(mailing)
        )
    except OSError as error:
        reason = wording.gettext(
            "The journal in %(folder)s cannot be written: %(error)s. Check the disk and the rights on the folder.",
            folder=folder(),
            error=error.strerror or error,
        )
        pause_transport(transport, reason=reason, actor=None, retry_after=RELAY_AWAY)
        return None


def _keeps_window(mailing: Mailing) -> bool:
    """No other machine can have the database, and there are more rows than a window anyway."""
    return connection.vendor == "sqlite" and mailing.total > WINDOW


def _goes_on(shift: Shift) -> datetime | None:
    """When its mailing may go on; finishes what is done."""
    mailing = Mailing.objects.select_related("identity__transport").get(pk=shift.mailing.pk)
    if mailing.state == Mailing.State.CANCELLED:
        mailings.skip_waiting(mailing)
    elif mailing.state != Mailing.State.RUNNING:
        return None
    elif shift.more is not None:
        return shift.more
    elif not mailings.finish_if_done(mailing):
        if turns.is_due(mailing):
            # Resumed, or given back by another worker, while this one was ending.
            return clock.now() + SOON if has_way(mailing) else None
        return turns.soon_due_at(mailing)
    return None
