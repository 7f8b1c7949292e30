"""Everything that happens by itself, and how often. One list, so that nobody has to search."""

from __future__ import annotations

from datetime import timedelta

from envoi.core.tasks.scheduler import Recurring

RECURRING: tuple[Recurring, ...] = (
    Recurring("contacts.tidy_imports", timedelta(minutes=5)),
    Recurring("audiences.end_memberships", timedelta(seconds=20)),
    Recurring("broadcasts.tend_notices", timedelta(seconds=20)),
    Recurring("notices.tidy_changes", timedelta(minutes=30)),
    Recurring("api.forget_answers", timedelta(hours=1)),
    Recurring("customers.tidy_sign_ins", timedelta(hours=6)),
    Recurring("bounces.forget_old", timedelta(hours=6)),
    Recurring("delivery.watchdog", timedelta(seconds=20)),
)
