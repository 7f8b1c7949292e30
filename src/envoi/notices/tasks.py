"""Background work on notices."""

from __future__ import annotations

from envoi.core.tasks import task
from envoi.notices.actions import bump


@task("notices.tidy_changes")
def tidy_changes() -> None:
    """Take away what the stamps do not need any more."""
    bump.tidy()
