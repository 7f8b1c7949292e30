"""Background work for customers: sending links, forgetting old ones."""

from __future__ import annotations

from envoi.core.tasks import task
from envoi.customers.actions import signing_in


@task("customers.send_link", queue="personal")
def send_link(address: str, language: str) -> None:
    """Send a link to sign in, if the address is somebody's. Repeated, it sends at most a few."""
    signing_in.send(address, language)


@task("customers.tidy_sign_ins")
def tidy_sign_ins() -> None:
    """Forget old sign-ins."""
    signing_in.tidy()
