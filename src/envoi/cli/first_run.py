"""What `envoi up` sets up on its first run: database, first owner, a demonstration to try things with."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from envoi.accounts.actions import users
from envoi.accounts.models import Role, User
from envoi.cli import migrate
from envoi.contacts.models import Contact
from envoi.demo.seed import seed

OWNER = "owner@localhost"


@dataclass(frozen=True, slots=True)
class Welcome:
    """The account that was made, with its one-time password; shown once and never stored."""

    email: str
    password: str


def prepare(email: str, demo: bool | None) -> Welcome | None:
    """Migrate, make the first owner, seed the demonstration; None when all was there already.

    Args:
        demo: whether to seed; None asks the person at the terminal, and without one takes yes.
    """
    if migrate.pending():
        print("Preparing the database …")
        migrate.migrate()
    if User.objects.exists():
        if demo:
            seed_if_empty()
        return None
    wanted = demo if demo is not None else asked()
    if wanted:
        seed_if_empty()
    # Last: whatever fails before leaves no account whose password nobody has seen.
    owner, password = users.add(email, role=Role.OWNER, actor=None)
    return Welcome(owner.email, password)


def waiting_account() -> str:
    """The owner when nobody has ever signed in: the password may have gone by unseen. Else empty."""
    if User.objects.filter(last_login__isnull=False).exists():
        return ""
    return User.objects.filter(role=Role.OWNER, is_active=True).values_list("email", flat=True).first() or ""


def seed_if_empty() -> None:
    """Seed, unless somebody's contacts are here: invented people must never stand among real ones."""
    if Contact.objects.exists():
        print("There are contacts already; the demonstration is left out.")
        return
    print("Making a demonstration: about 1,000 contacts, lists, products, a finished broadcast and a draft …")
    seed()


def asked() -> bool:
    """Whether the person at the terminal wants the demonstration."""
    if not sys.stdin.isatty():
        return True
    print("This is a new installation.")
    while True:
        answer = input("Fill it with a demonstration (invented people, sandbox only)? [Y/n] ").strip().lower()
        if answer in {"", "y", "yes"}:
            return True
        if answer in {"n", "no"}:
            return False
