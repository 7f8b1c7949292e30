"""Background work on audiences."""

from __future__ import annotations

from envoi.audiences.actions import products
from envoi.core.tasks import task


@task("audiences.end_memberships")
def end_memberships() -> None:
    """Let memberships expire whose end has come."""
    products.end_those_due()
