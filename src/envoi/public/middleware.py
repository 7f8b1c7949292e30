"""Readers' addresses are answered without the console's cookies."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

PREFIXES = ("/o/", "/c/", "/w/", "/u/")


def without_cookies(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Forget the cookies of requests to readers' addresses; stands before the session's middleware.

    An editor who follows a link of their own message is a reader like any other; and a session would be looked up in
    the database, which a redirect must not need.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(PREFIXES):
            request.META.pop("HTTP_COOKIE", None)
        return get_response(request)

    return answer
