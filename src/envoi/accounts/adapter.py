"""How allauth behaves here: nobody signs up by themselves; an owner adds users."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest

from envoi.accounts.actions import profile
from envoi.accounts.models import User
from envoi.core import secrets


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Closes public sign-up, and stores passwords through our action."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def set_password(self, user: User, password: str) -> None:
        profile.set_own_password(user, password)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return "/"


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps the secrets of authenticator apps and the seeds of recovery codes encrypted."""

    def encrypt(self, text: str) -> str:
        return secrets.encrypt(text, "mfa")

    def decrypt(self, encrypted_text: str) -> str:
        return secrets.decrypt(encrypted_text, "mfa")
