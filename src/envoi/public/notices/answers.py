"""What all answers to dashboards have in common: who may read them (CORS), one form of failure, no traceback."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import unquote

import orjson
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse

from envoi.notices import identity
from envoi.notices.identity import Claim, NotVouched

View = Callable[..., HttpResponse]
HEADERS = {name: f"X-Envoi-{name.capitalize()}" for name in ("key", "customer", "expires", "signature")}
ALLOWED_HEADERS = ", ".join([*HEADERS.values(), "Content-Type", "If-None-Match"])
# Browsers ask again after two hours at the latest, whatever is said here.
PREFLIGHT_HOLDS = 7200
RETRY_AFTER = 30
LONGEST_BODY = 20_000
# Their length is not told (RFC 9110 section 8.6): some proxies would take it for that of what they keep.
WITHOUT_CONTENT = (204, 304)


def for_dashboards(*methods: str) -> Callable[[View], View]:
    """A view of `methods` that is given the contact who is looking; everything else is answered here."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method == "OPTIONS":
                return shared(request, HttpResponse(status=204))
            if request.method not in methods:
                refused = problem(405, "Method Not Allowed")
                refused["Allow"] = ", ".join([*methods, "OPTIONS"])
                return shared(request, refused)
            try:
                answer = view(request, _contact(request), *args, **kwargs)
            except NotVouched:
                answer = problem(403, "Forbidden")
            except (DatabaseError, InterfaceError):
                answer = problem(503, "Service Unavailable")
                answer["Retry-After"] = str(RETRY_AFTER)
            return shared(request, answer)

        return answered

    return decorate


def json(content: object, status: int = 200, kind: str = "application/json") -> HttpResponse:
    return HttpResponse(orjson.dumps(content), status=status, content_type=kind)


def problem(status: int, title: str) -> HttpResponse:
    """A failure in the form of RFC 9457; it says no more than its status."""
    return json({"type": "about:blank", "title": title, "status": status}, status, "application/problem+json")


def shared(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """With the headers that let the pages of known sites, and no others, read it."""
    origin = request.headers.get("Origin", "")
    if origin and _may_read(origin):
        answer["Access-Control-Allow-Origin"] = origin
        answer["Access-Control-Expose-Headers"] = "ETag"
        if request.method == "OPTIONS":
            answer["Access-Control-Allow-Methods"] = "GET, POST"
            answer["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
            answer["Access-Control-Max-Age"] = str(PREFLIGHT_HOLDS)
    answer["Vary"] = ", ".join(["Origin", *HEADERS.values()])
    answer.setdefault("Cache-Control", "private, no-store")
    answer["X-Content-Type-Options"] = "nosniff"
    if answer.status_code not in WITHOUT_CONTENT:
        answer["Content-Length"] = str(len(answer.content))
    return answer


def _may_read(origin: str) -> bool:
    try:
        return identity.may_ask_from(origin)
    except (DatabaseError, InterfaceError):
        return False


def _contact(request: HttpRequest) -> int:
    """From headers, the customer percent-encoded in UTF-8; from the query where a client cannot set headers."""
    said = {name: request.headers.get(header, "") for name, header in HEADERS.items()}
    if any(said.values()):
        said["customer"] = unquote(said["customer"])
    else:
        said = {name: request.GET.get(name, "") for name in HEADERS}
    origin = request.headers.get("Origin", "")
    return identity.contact_of(Claim(**said, origin=origin), own_origin=origin if _is_own(request, origin) else "")


def _is_own(request: HttpRequest, origin: str) -> bool:
    """Whether the page that asks is one of Envoi's: a browser names the host it asks, and no page can change that."""
    host = request.META.get("HTTP_HOST")
    return origin in {f"https://{host}", f"http://{host}"}
