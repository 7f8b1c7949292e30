"""What dead workers of this machine left in their journals, brought into the ledger message by message.

Guarantees: the journal of a worker that lives is left alone; a row is changed only while it stands under the lease the
journal speaks of, so a journal may be read twice, or late, and after others have decided; a file is removed after its
rows are committed. One exception: what a journal says of a row that still waits, and that nobody has touched since the
journal was begun, the database must have forgotten, because it went back. That counts whatever has become of the lease.

Where another database server may take over, a journal that is written down is put aside for half a minute, and read
again when one does.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from envoi.core import clock, wording
from envoi.delivery import journal
from envoi.delivery.actions.mailing import reopen
from envoi.delivery.actions.restored import count_on, hold, hold_if_restored
from envoi.delivery.composers import Leased
from envoi.delivery.journal import Record
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.queries import roster
from envoi.delivery.queries.leases import Held, locked, wait_again
from envoi.delivery.queries.leftover import doubt_again, doubted, drop_if_empty, forgotten, take_from, undefer
from envoi.delivery.queries.results import Result, write
from envoi.delivery.queries.tallies import hold_tallies
from envoi.delivery.shifts.decisions import decide, in_the_dark, untried
from envoi.delivery.smtp import Accepted
from envoi.delivery.smtp.phases import Phase
from envoi.delivery.smtp.verdicts import judge

logger = logging.getLogger("envoi.delivery")

State = Delivery.State

# Journals of mailings that this database does not know may belong to one that is away for repair.
FOREIGN_KEPT_SECONDS = 30 * 24 * 3600
# Between making a journal and giving it its name lie microseconds; what is older was begun by a killed worker.
FRESH_FOR_SECONDS = 3600
# A standby that follows at all is not further behind; at 10,000 messages a second journals take 25 MB in that time.
ASIDE_FOR_SECONDS = 30


def folder() -> Path:
    """Where this machine's journals lie."""
    return Path(settings.ENVOI_DATA, "journal")


def replay_all() -> int:
    """Bring in every journal whose worker is dead; how many."""
    try:
        found = sorted(Path(entry.path) for entry in os.scandir(folder()))
    except FileNotFoundError:
        return 0
    for path in found:
        if path.suffix == journal.FRESH and _age(path) > FRESH_FOR_SECONDS:
            path.unlink(missing_ok=True)
    done = [path for path in found if path.suffix == journal.DONE]
    again = _look_through(done) if done else []
    return sum(replay(path) for path in [*again, *found] if path.suffix == journal.ENDING)


def _look_through(done: Sequence[Path]) -> list[Path]:
    """Of the journals put aside those to be read again; what the database has kept for long enough goes."""
    if hold_if_restored():
        again = [path.with_suffix(journal.ENDING) for path in done]
        for path, fresh in zip(done, again, strict=True):
            with suppress(FileNotFoundError):
                path.rename(fresh)
        return again
    old = [path for path in done if _age(path) > ASIDE_FOR_SECONDS]
    if old and count_on():
        for path in old:
            path.unlink(missing_ok=True)
    return []


def goes_aside() -> bool:
    """Whether another server may take over that missed the last moments."""
    return connection.vendor == "postgresql"


def may_go() -> bool:
    """Whether a journal of which all is written down may be put aside or, where nothing else can happen, removed."""
    return not hold_if_restored() if goes_aside() else count_on()


def _let_go(path: Path) -> None:
    if not goes_aside():
        path.unlink()
        return
    os.utime(path)
    path.rename(path.with_suffix(journal.DONE))


def replay(path: Path) -> bool:
    """Bring in one journal; False when its worker lives or this database knows nothing of it."""
    with journal.abandoned(path) as data:
        if data is None:
            return False
        record = journal.read(data)
        if record is None:
            # Its first line stands before its first row is leased: a power cut took it, and all that followed.
            path.unlink()
            return False
        mailing = Mailing.objects.filter(key=record.mailing).first()
        if mailing is None:
            if _age(path) > FOREIGN_KEPT_SECONDS:
                path.unlink()
            return False
        went_back = _bring_in(mailing, record)
        if went_back and not record.complete:
            # Of what the disk lost of this journal nobody can tell any more.
            hold()
        # Else it is read again until it is certain that the database keeps what it was told.
        if may_go():
            _let_go(path)
    return True


def _age(path: Path) -> float:
    """Seconds since it was last written to; 0 when it has just been renamed or removed."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _bring_in(mailing: Mailing, record: Record) -> bool:
    """Whether the database had forgotten any of it."""
    with transaction.atomic():
        current = locked(mailing)
        if current is None:
            return False
        # All rows first, then all tallies, as everybody does.
        taken = take_from(current, record.worker)
        doubts = doubted(current, record.worker)
        lost = _forgotten(current, record, {row.id for held in taken for row in held.rows})
        hold_tallies(current)
        number, waiting = 0, False
        for held in taken:
            results = [decided(row, record) for row in held.rows]
            number += write(held, results)
            drop_if_empty(held)
            waiting = waiting or _waits(results)
        waiting = _end_doubt(current, record, doubts) or waiting
        waiting = _remind(current, record, lost) or waiting
        roster.sign_off(record.worker)
        if waiting and current.state == Mailing.State.FINISHED:
            why = wording.gettext("Some recipients turned out not to have got the message.")
            reopen(current, actor=None, reason=why)
    if number or lost:
        logger.warning("The journal of %s, which has died, decided %d recipients", record.worker, number + len(lost))
    return bool(lost)


def _forgotten(mailing: Mailing, record: Record, taken: Collection[int]) -> list[Leased]:
    """Rows that still wait though the journal settles them, but for those `taken` from its worker's leases.

    Those of which the server refused the sender after the dot wait rightly.
    """
    if record.began is None:
        return []
    known = {row: epoch for row, (epoch, _) in record.answers.items()} | record.dots
    waiting = forgotten(mailing, {row: epoch for row, epoch in known.items() if row not in taken}, record.began)
    return [row for row in waiting if decided(row, record).state != State.PENDING]


def _remind(mailing: Mailing, record: Record, rows: Sequence[Leased]) -> bool:
    """What the database has forgotten it is told again; whether any waits."""
    results = [decided(row, record) for row in rows]
    undefer(mailing, [result.id for result in results if result.state != State.PENDING])
    write(Held(0, mailing, record.worker, None, clock.now()), results)
    return _waits(results)


def _end_doubt(mailing: Mailing, record: Record, rows: Sequence[Leased]) -> bool:
    """What the journal says of rows that the watchdog called unknown; whether any waits again."""
    if not rows:
        return False
    results = [decided(row, record) for row in rows]
    unsent = [result.id for result in results if result.state == State.PENDING]
    wait_again(mailing, State.UNKNOWN, unsent, attempts=F("attempts") - 1, detail="")
    doubt_again(mailing, [row.id for row in rows])
    # Without a transport: the row knows over which it went.
    write(Held(0, mailing, record.worker, None, clock.now()), results)
    return _waits(results)


def _waits(results: Sequence[Result]) -> bool:
    return any(result.state in (State.PENDING, State.DEFERRED) for result in results)


def decided(row: Leased, record: Record) -> Result:
    """What becomes of a row that a dead worker may have offered: by its answer, by its dot, by there being none."""
    epoch, reply = record.answers.get(row.id, (0, None))
    if reply is not None and epoch == row.epoch:
        outcome = Accepted(reply) if reply.positive else judge(reply, Phase.DOT_SENT)
        return decide(row, outcome, clock.now()).result
    dotted = record.dots.get(row.id) == row.epoch
    if not dotted and (record.complete or _not_in_window(row, record)):
        return untried(row)
    return in_the_dark(row, _why(dotted), clock.now())


def _not_in_window(row: Leased, record: Record) -> bool:
    """Whether the journal, which was on the disk before any row was offered, says that this one was not."""
    return record.window is not None and record.window.get(row.id) != row.epoch


def _why(dotted: bool) -> str:
    if dotted:
        return wording.gettext(
            "The worker stopped between handing the message over and the answer; it may have arrived."
        )
    return wording.gettext("The machine stopped while the message was about to leave; it may have arrived.")
