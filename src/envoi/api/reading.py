"""Read the JSON that programs send."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest
from ninja.parser import Parser


class StrictParser(Parser):
    """As RFC 8259 has it: UTF-8, no NaN, and no halves of characters, which no database can hold."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(request.body)
        return found
