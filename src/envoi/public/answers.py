"""What all readers' addresses have in common: a bad token is 404, a database that is away is 503, nothing is kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.template.loader import render_to_string
from django.utils import translation

from envoi.core.signing import BadToken
from envoi.delivery.models import Delivery
from envoi.tracking.links import ExampleOnly
from envoi.tracking.origins import NothingToShow

View = Callable[..., HttpResponse]
RETRY_AFTER = 30


def for_readers(view: View) -> View:
    """Answer what a view of a readers' address cannot: plainly, and without saying why a token is bad."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            answer = view(request, *args, **kwargs)
        except (BadToken, NothingToShow, Delivery.DoesNotExist):
            answer = HttpResponseNotFound("Not found\n", content_type="text/plain; charset=utf-8")
        except ExampleOnly:
            answer = _said(request, "public/example.html")
        except (DatabaseError, InterfaceError):
            answer = _said(request, "public/unavailable.html", status=503)
            answer["Retry-After"] = str(RETRY_AFTER)
        answer["Cache-Control"] = "private, no-store"
        answer["X-Robots-Tag"] = "noindex, nofollow"
        # The address holds a token: it goes nowhere.
        answer["Referrer-Policy"] = "no-referrer"
        answer["X-Content-Type-Options"] = "nosniff"
        answer["Content-Length"] = str(len(answer.content))
        return answer

    return answered


def _said(request: HttpRequest, template: str, status: int = 200) -> HttpResponse:
    language = translation.get_language_from_request(request)
    with translation.override(language):
        html = render_to_string(template, {"language": language})
    return HttpResponse(html, status=status)
