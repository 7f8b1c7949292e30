"""Around the API: no cookies in, HEAD as GET without its body, and nothing but its one shape of problems out."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from envoi.api import problems

ADDRESSES = "/api/"
Respond = Callable[[HttpRequest], HttpResponse]


def programs(get_response: Respond) -> Respond:
    """A browser that is signed in to the console can do nothing here by its cookies, so that no other page can make
    it (cross-site request forgery); and a fault is told to programs in their language, not as a page."""

    def answer(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(ADDRESSES):
            return get_response(request)
        request.META.pop("HTTP_COOKIE", None)
        if request.method == "HEAD":
            return _without_body(request, get_response)
        return _in_one_shape(get_response(request))

    return answer


def _in_one_shape(given: HttpResponse) -> HttpResponse:
    given.headers.setdefault("Cache-Control", "no-store")
    if "GET" in (allowed := given.headers.get("Allow", "")):
        given["Allow"] = f"{allowed}, HEAD"
    if given.status_code >= 400 and given["Content-Type"] != problems.CONTENT_TYPE:
        told = problems.answer(problems.of_status(given.status_code))
        given.content, given["Content-Type"] = told.content, problems.CONTENT_TYPE
        given["Content-Length"] = str(len(told.content))
    return given


def _without_body(request: HttpRequest, get_response: Respond) -> HttpResponse:
    """What GET would answer, its length included, without the body (RFC 9110 §9.3.2); ninja has no HEAD of its own."""
    request.method = "GET"
    try:
        given = _in_one_shape(get_response(request))
    finally:
        request.method = "HEAD"
    given["Content-Length"] = str(len(given.content))
    given.content = b""
    return given
