"""What people change about themselves."""

from __future__ import annotations

from django.db import transaction

from envoi.accounts.actions import audit
from envoi.accounts.models import User


def change(user: User, *, name: str | None = None, language: str | None = None, theme: str | None = None) -> None:
    """Store what is given; the audit knows of the name only, for taste is nobody's business."""
    with transaction.atomic():
        if name is not None and name != user.name:
            audit.record(user, "rename_user", user, before=user.name, after=name)
        user.name = user.name if name is None else name
        user.language = language or user.language
        user.theme = theme or user.theme
        user.save(update_fields=["name", "language", "theme"])


def set_own_password(user: User, password: str) -> None:
    """The password `user` chose; other sessions of theirs end."""
    with transaction.atomic():
        user.set_password(password)
        user.must_change_password = False
        user.save(update_fields=["password", "must_change_password"])
        audit.record(user, "change_password", user)
