"""How allauth behaves here: nobody signs up by themselves; an owner adds users."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from envoi.accounts.actions import profile
from envoi.accounts.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Closes public sign-up, and stores passwords through our action."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def set_password(self, user: User, password: str) -> None:
        profile.set_own_password(user, password)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return "/"
