"""People who sign in."""

from __future__ import annotations

from envoi.accounts.models import Role, User


def a_user(email: str = "ada@example.org", *, role: str = Role.OWNER, **fields: object) -> User:
    """Somebody with the password “correct horse battery”."""
    return User.objects.create_user(email, "correct horse battery", role=role, **fields)
