"""Who may sign in: add, change the role, let out, let in again, give a new one-time password.

Guarantee: somebody who may sign in is always an owner. A one-time password is returned once and stored only as a hash;
whoever signs in with it must choose their own before anything else.
"""

from __future__ import annotations

import secrets

from allauth.mfa.models import Authenticator
from django.db import transaction

from envoi.accounts.actions import audit
from envoi.accounts.models import Role, User

# No letters or digits that are mistaken for one another when read from a screen or over the telephone.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class LastOwner(Exception):
    """Without this person nobody could manage users; make somebody else an owner first."""


class AddressTaken(Exception):
    """Somebody signs in with this address already."""


def one_time_password() -> str:
    """Four groups of five characters: 98 random bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(4))


def add(
    email: str, *, name: str = "", role: str = Role.VIEWER, language: str = "en", actor: User | None
) -> tuple[User, str]:
    """A new user and the one-time password to tell them.

    Raises:
        AddressTaken: there is a user of this address.
    """
    password = one_time_password()
    with transaction.atomic():
        if User.objects.filter(email__iexact=email.strip()).exists():
            raise AddressTaken(email)
        user = User.objects.create_user(
            email, password, name=name, role=role, language=language, must_change_password=True
        )
        audit.record(actor, "add_user", user, role=role)
    return user, password


def change_role(user: User, role: str, *, actor: User | None) -> None:
    """Give `user` another role; nothing happens when they have it.

    Raises:
        LastOwner: `user` is the only owner who may sign in.
    """
    with transaction.atomic():
        before = _locked(user).role
        if before == role:
            return
        if before == Role.OWNER:
            _another_owner(user)
        user.role = role
        user.save(update_fields=["role"])
        audit.record(actor, "change_role", user, before=before, after=role)


def deactivate(user: User, *, actor: User | None) -> None:
    """Let `user` no longer in; their open sessions end with their next request.

    Raises:
        LastOwner: `user` is the only owner who may sign in.
    """
    with transaction.atomic():
        if not _locked(user).is_active:
            return
        if user.role == Role.OWNER:
            _another_owner(user)
        user.is_active = False
        user.save(update_fields=["is_active"])
        audit.record(actor, "deactivate_user", user)


def activate(user: User, *, actor: User | None) -> None:
    """Let `user` in again."""
    with transaction.atomic():
        if _locked(user).is_active:
            return
        user.is_active = True
        user.save(update_fields=["is_active"])
        audit.record(actor, "activate_user", user)


def reset_password(user: User, *, actor: User | None) -> str:
    """A new one-time password for `user`; all their sessions end."""
    password = one_time_password()
    with transaction.atomic():
        user.set_password(password)
        user.must_change_password = True
        user.save(update_fields=["password", "must_change_password"])
        audit.record(actor, "reset_password", user)
    return password


def remove_second_factors(user: User, *, actor: User | None) -> None:
    """Forget the authenticator app, passkeys and recovery codes of somebody who lost them; the password stays."""
    with transaction.atomic():
        removed, _by_type = Authenticator.objects.filter(user=user).delete()
        if removed:
            audit.record(actor, "remove_second_factors", user)


def _locked(user: User) -> User:
    return User.objects.select_for_update().get(pk=user.pk)


def _another_owner(user: User) -> None:
    # Every owner's row is locked, in one order: two owners who let each other out at once cannot both succeed.
    owners = User.objects.select_for_update().filter(role=Role.OWNER, is_active=True).order_by("pk")
    if {owner.pk for owner in owners} <= {user.pk}:
        raise LastOwner(user.email)
