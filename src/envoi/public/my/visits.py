"""Who is visiting: the cookie, and what all pages of the customer page have in common."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import get_supported_language_variant

from envoi.core.signing import BadToken
from envoi.customers import queries, tokens
from envoi.customers.models import SignIn
from envoi.instance import queries as instance
from envoi.instance.schema import ORGANISATION_NAME
from envoi.public.unsubscribing import LANGUAGES

COOKIE = "envoi_my"
PATH = "/my/"
View = Callable[..., HttpResponse]


def visitors(view: View) -> View:
    """A page for anybody: in their language, kept by nobody."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with translation.override(_language(request, None)):
            return _private(view(request, *args, **kwargs))

    return answered


def customers(view: View) -> View:
    """A page for somebody who came in; given their visit. Others are asked to sign in."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        visit = _visit(request)
        if visit is None:
            return _private(redirect("public:my-sign-in"))
        with translation.override(_language(request, visit)):
            return _private(view(request, visit, *args, **kwargs))

    return answered


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    language = translation.get_language() or "en"
    shared = {
        "language": language,
        "languages": LANGUAGES,
        "organisation": instance.get(ORGANISATION_NAME),
    }
    # Without the console's context processors, which would look for a user.
    html = render_to_string(f"public/my/{template}.html", {**shared, "csrf_token": get_token(request), **context})
    answer = HttpResponse(html, status=status)
    answer["Content-Language"] = language
    return answer


def begin(answer: HttpResponse, visit: SignIn) -> HttpResponse:
    """Remember the visit in the browser."""
    answer.set_cookie(
        COOKIE,
        tokens.make(visit.pk, tokens.VISIT),
        max_age=SignIn.STAYS_FOR,
        path=PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return answer


def end(answer: HttpResponse) -> HttpResponse:
    """Forget it."""
    answer.delete_cookie(COOKIE, path=PATH, samesite="Lax")
    return answer


def _visit(request: HttpRequest) -> SignIn | None:
    try:
        return queries.visit(tokens.read(request.COOKIES.get(COOKIE, ""), tokens.VISIT))
    except BadToken:
        return None


def _language(request: HttpRequest, visit: SignIn | None) -> str:
    """The one asked for by `?lang=`, else the customer's, else the browser's."""
    for code in (request.GET.get("lang", ""), visit.contact.language if visit else ""):
        try:
            return get_supported_language_variant(code.replace("_", "-").lower())
        except LookupError:
            continue
    return translation.get_language_from_request(request)


def _private(answer: HttpResponse) -> HttpResponse:
    answer["Cache-Control"] = "private, no-store"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer
