"""Around the API: no cookies in, and nothing but its one shape of problems out."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from envoi.api import problems

ADDRESSES = "/api/"


def programs(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A browser that is signed in to the console can do nothing here by its cookies, so that no other page can make
    it (cross-site request forgery); and a fault is told to programs in their language, not as a page."""

    def answer(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(ADDRESSES):
            return get_response(request)
        request.META.pop("HTTP_COOKIE", None)
        given = get_response(request)
        given.headers.setdefault("Cache-Control", "no-store")
        if given.status_code >= 400 and given["Content-Type"] != problems.CONTENT_TYPE:
            told = problems.answer(problems.of_status(given.status_code))
            given.content, given["Content-Type"] = told.content, problems.CONTENT_TYPE
            given["Content-Length"] = str(len(told.content))
        return given

    return answer
