"""Background work of the API."""

from __future__ import annotations

from envoi.api import idempotency
from envoi.core.tasks import task


@task("api.forget_answers")
def forget_answers() -> None:
    """Take away the answers that were kept for repeated requests."""
    idempotency.forget_old()
