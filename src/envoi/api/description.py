"""What the OpenAPI description says beside what follows from the code: problems, and the header of repeatable POSTs."""

from __future__ import annotations

from typing import Any

from envoi.api import idempotency, problems

_TEXT = {"type": "string"}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "code": {**_TEXT, "description": "For programs."},
        "detail": {**_TEXT, "description": "For people."},
        "errors": {
            "type": "array",
            "description": "The fields at fault.",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {**_TEXT, "description": "Such as `targets.lists.0`."}, "message": _TEXT},
            },
        },
    },
}
_HEADER = {
    "in": "header",
    "name": idempotency.HEADER,
    "required": False,
    "schema": {**_TEXT, "minLength": 1, "maxLength": idempotency.LONGEST},
    "description": "Any text that is new for each request, such as a UUID: repeated with it, a request has its effect "
    "once and is answered as the first time, for a day.",
}


def problem_answers() -> dict[str, Any]:
    """What every operation may answer instead."""
    content = {problems.CONTENT_TYPE: {"schema": _PROBLEM}}
    return {"responses": {"default": {"description": "Problem details (RFC 9457)", "content": content}}}


def repeatable() -> dict[str, Any]:
    """The same, for a POST that understands the header."""
    return {**problem_answers(), "parameters": [_HEADER]}
