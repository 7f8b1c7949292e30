"""Who may open which page: every view of the console carries `requires`, and a test walks the routes to see it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from envoi.accounts.models import User
from envoi.accounts.permissions import Permission, may

View = Callable[..., HttpResponseBase]


class SignedInRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: User


def requires(permission: Permission) -> Callable[[View], View]:
    """Let only people with `permission` in: visitors are asked to sign in, others answered 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not may(request.user, permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        answer = cast("View", login_required(guarded))
        answer.permission = permission  # type: ignore[attr-defined]
        return answer

    return decorate
