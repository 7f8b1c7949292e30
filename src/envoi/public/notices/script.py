"""`notices.js`, for any page of any site: one address that stays, compressed once, kept by browsers for an hour."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

FILE = "envoi/dist/notices.js"
KEPT = "public, max-age=3600, stale-while-revalidate=86400, stale-if-error=604800"


@dataclass(frozen=True, slots=True)
class _Script:
    """Attributes: the forms by content coding; "" is the plain one."""

    forms: dict[str, bytes]
    tag: str


@lru_cache(maxsize=1)
def _script() -> _Script | None:
    found = finders.find(FILE)
    if not isinstance(found, str):
        return None
    plain = Path(found).read_bytes()
    forms = {"": plain}
    for coding, ending in (("br", ".br"), ("gzip", ".gz")):
        packed = Path(found + ending)
        if packed.is_file():
            forms[coding] = packed.read_bytes()
    return _Script(forms, hashlib.sha256(plain).hexdigest()[:16])


@require_safe
def script(request: HttpRequest) -> HttpResponse:
    """The script, in the best form that the browser takes."""
    ready = _script()
    if ready is None:
        return HttpResponse("Not found\n", status=404, content_type="text/plain")
    accepted = {part.partition(";")[0].strip() for part in request.headers.get("Accept-Encoding", "").split(",")}
    coding = next((one for one in ("br", "gzip") if one in accepted and one in ready.forms), "")
    tag = f'"{ready.tag}-{coding}"'
    if tag in request.headers.get("If-None-Match", ""):
        answer = HttpResponse(status=304)
    else:
        answer = HttpResponse(ready.forms[coding], content_type="text/javascript; charset=utf-8")
        if coding:
            answer["Content-Encoding"] = coding
        answer["Content-Length"] = str(len(answer.content))
    answer["ETag"] = tag
    answer["Cache-Control"] = KEPT
    answer["Vary"] = "Accept-Encoding"
    answer["Access-Control-Allow-Origin"] = "*"
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
