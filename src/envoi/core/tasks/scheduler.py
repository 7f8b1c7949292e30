"""Recurring work: once per interval, however many schedulers run.

Intervals are counted from 1970, so they do not drift. A slot that was missed while nothing ran is made up for once.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections, transaction

from envoi.core import clock
from envoi.core.models import RecurringSlot
from envoi.core.tasks import ending, heartbeats, registry

logger = logging.getLogger("envoi.tasks")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Recurring:
    """A task without arguments that is asked for once in every interval."""

    name: str
    every: timedelta


def slot_after(moment: datetime, every: timedelta) -> datetime:
    """The first beginning of an interval after `moment`."""
    return EPOCH + ((moment - EPOCH) // every + 1) * every


def ask_for_due(entries: Sequence[Recurring]) -> list[str]:
    """Ask for everything whose time has come and that no other scheduler took; the names."""
    now = clock.now()
    known = dict(RecurringSlot.objects.values_list("name", "due_at"))
    return [entry.name for entry in entries if is_due(entry, known.get(entry.name), now) and ask(entry, now)]


def is_due(entry: Recurring, due_at: datetime | None, now: datetime) -> bool:
    """Whether to try for this slot; one further off than an interval is left from a longer interval."""
    return due_at is None or due_at <= now or due_at > now + entry.every


def ask(entry: Recurring, now: datetime) -> bool:
    """Move the slot on and ask for the task, both or neither; False when another scheduler was first."""
    with transaction.atomic():
        slot, _ = RecurringSlot.objects.get_or_create(name=entry.name, defaults={"due_at": EPOCH})
        if not is_due(entry, slot.due_at, now):
            return False
        mine = RecurringSlot.objects.filter(name=entry.name, due_at=slot.due_at)
        if not mine.update(due_at=slot_after(now, entry.every)):
            return False
        registry.later(entry.name)
    return True


def run(entries: Sequence[Recurring], pause: timedelta = timedelta(seconds=1)) -> None:
    """Ask for recurring work until this process is asked to stop."""
    last_beat = EPOCH
    while not ending.stopping():
        try:
            ask_for_due(entries)
            if clock.now() - last_beat > heartbeats.INTERVAL:
                heartbeats.beat("scheduler")
                last_beat = clock.now()
        except DatabaseError as error:
            logger.warning("Recurring work cannot be looked up, next try soon: %s", error)
            close_old_connections()
        ending.wait(pause.total_seconds())
    heartbeats.leave("scheduler")
    connections.close_all()
