"""The background work of bounces: forgetting."""

from __future__ import annotations

from envoi.bounces.actions.keep_aside import forget_old
from envoi.core.tasks import task


@task("bounces.forget_old")
def forget_old_messages() -> None:
    """Forget messages that had no effect and have lain long enough."""
    forget_old()
