"""Background work on broadcasts."""

from __future__ import annotations

from envoi.broadcasts.actions import show
from envoi.core.tasks import task


@task("broadcasts.tend_notices")
def tend_notices() -> None:
    """Start e-mails that follow a notice when they are due; note what has ended."""
    show.tend()
