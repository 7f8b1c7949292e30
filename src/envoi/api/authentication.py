"""Which program asks, and whether its key may: every operation carries `key_for(permission)`, and a test sees to it."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.security import HttpBearer

from envoi.accounts import queries
from envoi.accounts.actions import api_keys
from envoi.accounts.models import ApiKey, User
from envoi.accounts.permissions import Permission, key_may
from envoi.api import pace
from envoi.api.problems import Problem, unauthenticated


class ApiRequest(HttpRequest):
    """A request whose key was found good."""

    auth: ApiKey


class ApiKeyInHeader(HttpBearer):
    """An API key in the header “Authorization: Bearer …” (RFC 6750) that has this permission."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission
        super().__init__()

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey:
        """The key.

        Raises:
            Problem: 401 for one that lets nobody in, 403 without the permission, 429 beyond the pace.
        """
        key = queries.api_key_of(token.strip())
        if key is None or not key.is_alive:
            raise unauthenticated()
        pace.take(key.pk)
        if not key_may(key, self.permission):
            detail = _("This key may not do that: it needs the scope “%(scope)s”, and its owner the right to it.")
            raise Problem(403, "not_permitted", detail % {"scope": self.permission.value})
        api_keys.note_use(key)
        return key


def actor_of(request: ApiRequest) -> User:
    """In whose name the program acts; the audit names the key too."""
    owner = request.auth.owner
    owner.through = f"API key {request.auth.name}"
    return owner
