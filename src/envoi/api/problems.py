"""The one shape of everything that is no success: problem details (RFC 9457).

`type` is "about:blank" and `title` the phrase of the status, as the RFC asks for problems that the status explains;
`code` is for programs, `detail` for people, and `errors` names the fields at fault: {"field": "targets.lists.0",
"message": "…"}.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja.errors import AuthenticationError, HttpError, ValidationError

CONTENT_TYPE = "application/problem+json"


class Problem(Exception):
    """Something that the program asked for cannot be done.

    Attributes:
        code: for programs.
        errors: field and message, for people.
        headers: to answer with.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[tuple[str, str]] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.headers = errors, headers or {}


def unauthenticated() -> Problem:
    """One answer for no key, a wrong, an expired and a revoked one."""
    detail = _("Send a valid API key: “Authorization: Bearer envoi_…”. Owners make keys under Settings, API keys.")
    return Problem(401, "unauthenticated", detail, headers={"WWW-Authenticate": 'Bearer realm="Envoi"'})


def invalid(errors: Sequence[tuple[str, str]]) -> Problem:
    return Problem(422, "invalid", _("Some fields cannot be taken as they are."), errors)


def not_found(detail: str = "") -> Problem:
    return Problem(404, "not_found", detail or _("There is nothing at this address."))


def answer(problem: Problem) -> HttpResponse:
    """The response that tells of `problem`."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = [{"field": field, "message": message} for field, message in problem.errors]
    return HttpResponse(json.dumps(body, ensure_ascii=False), CONTENT_TYPE, problem.status, headers={**problem.headers})


def of_status(status: int) -> Problem:
    """For answers that were given before the API had a word: by the framework, or after a fault of ours."""
    if status == 404:
        return not_found()
    words = {
        400: _("The request cannot be read."),
        405: _("This address does not take this method."),
        413: _("The request is too large."),
        500: _("Something went wrong here. The server’s log says more."),
    }
    return Problem(status, HTTPStatus(status).name.lower(), words.get(status, HTTPStatus(status).phrase))


def on_problem(request: HttpRequest, problem: Problem | type[Problem]) -> HttpResponse:
    assert isinstance(problem, Problem)  # noqa: S101 - ninja's types allow the class
    return answer(problem)


def on_http_error(request: HttpRequest, error: HttpError | type[HttpError]) -> HttpResponse:
    if isinstance(error, AuthenticationError):
        return answer(unauthenticated())
    status = error.status_code if isinstance(error, HttpError) else 500
    if status == 400:
        return answer(Problem(400, "not_json", _("The body must be one JSON object in UTF-8.")))
    return answer(of_status(status))


def on_invalid(request: HttpRequest, error: ValidationError | type[ValidationError]) -> HttpResponse:
    assert isinstance(error, ValidationError)  # noqa: S101 - ninja's types allow the class
    if any(one["loc"][0] == "path" for one in error.errors):
        return answer(not_found())
    return answer(invalid([(_field(one["loc"]), _words(one)) for one in error.errors[:50]]))


def _field(where: Sequence[str | int]) -> str:
    """`("body", "wanted", "targets", "lists", 0)` → `targets.lists.0`; the name of the view's argument is ours."""
    kept = where[2:] if where and where[0] == "body" else where[1:]
    return ".".join(str(part) for part in kept)


def _words(error: dict[str, Any]) -> str:
    given = error.get("ctx") or {}
    known = {
        "missing": _("This is missing."),
        "extra_forbidden": _("There is no such field."),
        "string_type": _("This must be text."),
        "string_too_long": _("Shorten this to %(max_length)s characters."),
        "string_too_short": _("Write something here."),
        "string_pattern_mismatch": _("This is not written as it must be."),
        "bool_type": _("This must be true or false."),
        "int_type": _("This must be a whole number."),
        "int_parsing": _("This must be a whole number."),
        "list_type": _("This must be a list."),
        "too_long": _("At most %(max_length)s are taken at once."),
        "model_attributes_type": _("This must be an object."),
        "nul": _("Leave out the character U+0000."),
        "out_of_reach": _("Write a year from 2000 to 2200."),
        "not_a_name": _("Write a name or a number."),
        "not_written": _("Write the time with its zone, such as 2026-12-24T18:00:00+01:00."),
        "timezone_aware": _("Write the time with its zone, such as 2026-12-24T18:00:00+01:00."),
        "greater_than_equal": _("This must be at least %(ge)s."),
        "less_than_equal": _("This must be at most %(le)s."),
        "literal_error": _("Choose one of %(expected)s."),
    }
    words = known.get(error["type"])
    return words % given if words and given else words or str(error["msg"])
