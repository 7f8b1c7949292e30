"""Notice that the database is older than this machine remembers, and hold what would be sent a second time.

Whoever removes a journal of which all is written down first counts on in the database and notes the number beside it,
in the data folder. A restored backup counts less than the note says: whatever runs in it may have been sent already,
and no journal tells any more, so it is paused until a person resumes it. What a journal still knows needs no person
(`replay.py`).

A standby that takes over may have missed the last moments. It begins a new timeline (PostgreSQL's word); a machine that
sees one begins nothing for the length of a lease, in which all machines bring in what their journals know.

Guarantee: a note is never ahead of the database that it is about, unless that database went back.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from envoi.core import clock, wording
from envoi.core.keys import random_key
from envoi.delivery.actions.mailing import pause
from envoi.delivery.models import LedgerMark, Mailing
from envoi.delivery.queries.leases import LEASE
from envoi.delivery.queries.timelines import timeline

logger = logging.getLogger("envoi.delivery")


@dataclass(frozen=True, slots=True)
class Note:
    """What this machine remembers of the database.

    Attributes:
        timeline: that the server was last seen to follow, "" if it has none.
        quiet_until: so long nothing is begun, since another server took over.
    """

    key: str
    number: int
    written: datetime
    timeline: str = ""
    quiet_until: datetime | None = None


def begin() -> None:
    """Say that messages leave from this database, so that a copy of it in another place is known for one."""
    if not LedgerMark.objects.filter(pk=1, number__gt=0).exists():
        _count()


def count_on() -> bool:
    """Say that all that a journal knows is written down; whether it is, so that the journal may be removed.

    It may not when the database went back or another server took over: who knows what it has forgotten.
    """
    if hold_if_restored():
        return False
    _count()
    return True


def _count() -> None:
    """In the database first, then in the note. Before the very first number there is a note already: 0."""
    LedgerMark.objects.bulk_create([LedgerMark(pk=1, key=random_key())], ignore_conflicts=True)
    if _read() is None:
        _note(LedgerMark.objects.get(pk=1))
    LedgerMark.objects.filter(pk=1).update(number=F("number") + 1)
    _note(LedgerMark.objects.get(pk=1))


def hold_if_restored() -> bool:
    """Pause every running mailing when the database went back; whether nothing may be begun now."""
    # The note first: the database may count on meanwhile, the other way round would look like a step back.
    note = _read()
    mark = LedgerMark.objects.filter(pk=1).first()
    if note is None and mark is not None and _has_just_begun(mark):
        return False
    if not went_back(note, mark):
        return note is not None and _is_quiet(note)
    hold()
    return True


def _has_just_begun(mark: LedgerMark) -> bool:
    """Whether there was no note only because another process was about to send the first messages of all."""
    note = _read()
    return note is not None and note.key == mark.key


def hold() -> None:
    """Pause every running mailing until a person resumes it: some of its people may have got the message."""
    reason = wording.gettext(
        "The database was restored from a backup: some of these people may have got the message after the backup was "
        "made. Compare with your mail server’s log, then resume or cancel."
    )
    with transaction.atomic():
        held = list(Mailing.objects.filter(state=Mailing.State.RUNNING))
        for mailing in held:
            pause(mailing, actor=None, reason=reason)
        LedgerMark.objects.bulk_create([LedgerMark(pk=1, key=random_key())], ignore_conflicts=True)
        LedgerMark.objects.filter(pk=1).update(held_at=clock.now())
    _note(LedgerMark.objects.get(pk=1))
    logger.error("The database is older than this machine remembers; %d running mailings are held", len(held))


def _is_quiet(note: Note) -> bool:
    """Whether another server took over so lately that journals of other workers may know what it has forgotten."""
    now, current = clock.now(), timeline()
    if note.timeline and current and note.timeline != current:
        _write(replace(note, timeline=current, quiet_until=now + LEASE))
        logger.warning("Another database server took over; sending goes on in %d seconds", LEASE.total_seconds())
        return True
    return note.quiet_until is not None and now < note.quiet_until


def still_held() -> int:
    """How many mailings wait for a person since the database went back."""
    mark = LedgerMark.objects.filter(pk=1, held_at__isnull=False).first()
    if mark is None or mark.held_at is None:
        return 0
    near = (mark.held_at - timedelta(seconds=30), mark.held_at)
    held = Mailing.objects.filter(state=Mailing.State.PAUSED, state_changed_by=None, state_changed_at__range=near)
    return held.count()


def went_back(note: Note | None, mark: LedgerMark | None) -> bool:
    """Whether the database is an older one than the note is about."""
    if note is None:
        # The SQLite file lies beside the note: it was put into a new folder, as from a backup.
        return mark is not None and mark.number > 0 and connection.vendor == "sqlite"
    if mark is None:
        # Nothing was ever sent from this database, although what runs in it is older than what was noted here.
        return Mailing.objects.filter(state=Mailing.State.RUNNING, created_at__lt=note.written).exists()
    return (note.key != mark.key and mark.number > 0) or (note.key == mark.key and note.number > mark.number)


def _path() -> Path:
    return Path(settings.ENVOI_DATA, "ledger.mark")


def _read() -> Note | None:
    try:
        key, number, *rest = _path().read_text().split()
        written = datetime.fromtimestamp(_path().stat().st_mtime, UTC)
        quiet = datetime.fromtimestamp(float(rest[1]), UTC) if len(rest) > 1 else None
        return Note(key, int(number), written, "".join(rest[:1]).strip("-"), quiet)
    except (OSError, ValueError):
        return None


def _note(mark: LedgerMark) -> None:
    now, before = clock.now(), _read()
    quiet = before.quiet_until if before and before.quiet_until and before.quiet_until > now else None
    _write(Note(mark.key, mark.number, now, timeline(), quiet))


def _write(note: Note) -> None:
    words = [note.key, str(note.number), note.timeline or "-"]
    if note.quiet_until is not None:
        words.append(f"{note.quiet_until.timestamp():.3f}")
    fresh = _path().with_suffix(f".{random_key()}")
    fresh.write_text(" ".join(words))
    os.replace(fresh, _path())
