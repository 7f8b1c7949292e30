"""What the signed-in user prefers, and what they must do first, applied to each request."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation

from envoi.instance import queries
from envoi.instance.schema import TIME_ZONE

Handler = Callable[[HttpRequest], HttpResponse]


def preferences(get_response: Handler) -> Handler:
    """Answer in the user's own language and the installation's time zone.

    Visitors get the language their browser asks for, or the one they chose (LocaleMiddleware).
    """

    def answer(request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return get_response(request)
        translation.activate(request.user.language)
        request.LANGUAGE_CODE = translation.get_language() or "en"
        with timezone.override(ZoneInfo(queries.get(TIME_ZONE))):
            return get_response(request)

    return answer


def own_password_first(get_response: Handler) -> Handler:
    """Whoever signed in with a one-time password chooses their own before anything else."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and request.user.must_change_password:
            change = reverse("account_change_password")
            open_pages = {change, reverse("account_logout"), reverse("account:language"), reverse("account:theme")}
            if request.path not in open_pages:
                return redirect(change)
        return get_response(request)

    return answer
