"""Notice that the database is older than this machine remembers, and hold what would be sent a second time.

Each shift counts on in the database and then notes the number beside it, in the data folder. A restored backup counts
less than the note says: whatever runs in it may have been sent already, so it is paused until a person resumes it.
Guarantee: a note is never ahead of the database that it is about, unless that database went back.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from envoi.core import clock
from envoi.core.keys import random_key
from envoi.delivery.actions.mailing import pause
from envoi.delivery.models import LedgerMark, Mailing

logger = logging.getLogger("envoi.delivery")


@dataclass(frozen=True, slots=True)
class Note:
    """What this machine remembers of the database."""

    key: str
    number: int
    written: datetime


def count_on() -> None:
    """Say that sending goes on from here: in the database first, then in the note."""
    LedgerMark.objects.bulk_create([LedgerMark(pk=1, key=random_key())], ignore_conflicts=True)
    LedgerMark.objects.filter(pk=1).update(number=F("number") + 1)
    _write(LedgerMark.objects.get(pk=1))


def hold_if_restored() -> bool:
    """Pause every running mailing when the database went back; whether it did."""
    # The note first: the database may count on meanwhile, the other way round would look like a step back.
    note = _read()
    mark = LedgerMark.objects.filter(pk=1).first()
    if not went_back(note, mark):
        return False
    reason = _(
        "The database was restored from a backup: some of these people may have got the message after the backup was "
        "made. Compare with your mail server’s log, then resume or cancel."
    )
    with transaction.atomic():
        held = list(Mailing.objects.filter(state=Mailing.State.RUNNING))
        for mailing in held:
            pause(mailing, actor=None, reason=reason)
        LedgerMark.objects.bulk_create([LedgerMark(pk=1, key=random_key())], ignore_conflicts=True)
        LedgerMark.objects.filter(pk=1).update(held_at=clock.now())
    _write(LedgerMark.objects.get(pk=1))
    logger.error("The database is older than this machine remembers; %d running mailings are held", len(held))
    return True


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
        key, number = _path().read_text().split()
        return Note(key, int(number), datetime.fromtimestamp(_path().stat().st_mtime, UTC))
    except (OSError, ValueError):
        return None


def _write(mark: LedgerMark) -> None:
    fresh = _path().with_suffix(f".{random_key()}")
    fresh.write_text(f"{mark.key} {mark.number}")
    os.replace(fresh, _path())
