"""One effect for a POST that a program repeats because it did not hear the answer.

With the header `Idempotency-Key`, effect and answer are written in one transaction: either both are there or neither,
and whoever repeats the request (also at the same moment) gets the first one's answer. Only successes are kept: after a
problem nothing was done, and the key can be used again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.http import HttpResponse
from django.utils.translation import gettext as _
from ninja import Schema

from envoi.api.authentication import ApiRequest
from envoi.api.models import RememberedAnswer
from envoi.api.problems import Problem
from envoi.core import clock

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
LONGEST = 200


def once(request: ApiRequest, status: int, work: Callable[[], Schema]) -> HttpResponse:
    """The answer of `work`, or the one given before to the same request with the same key.

    Raises:
        Problem: the key is unusable, or was used for another request.
    """
    name = request.headers.get(HEADER)
    if name is None:
        return _response(status, work().model_dump_json())
    if not 0 < len(name) <= LONGEST or not name.isascii() or not name.isprintable():
        detail = _("Idempotency-Key: send 1 to 200 plain characters, such as a random UUID.")
        raise Problem(400, "idempotency_key_unusable", detail)
    with transaction.atomic():
        kept, is_first = _claim(request, name)
        if is_first:
            kept.status, kept.body = status, work().model_dump_json()
            kept.save(update_fields=["status", "body"])
    answer = _response(kept.status, kept.body)
    if not is_first:
        answer["Idempotency-Replayed"] = "true"
    return answer


def forget_old() -> int:
    """Take away what is older than a day; how many."""
    return RememberedAnswer.objects.filter(created_at__lte=clock.now() - KEPT).delete()[0]


def _claim(request: ApiRequest, name: str) -> tuple[RememberedAnswer, bool]:
    """The row of this key, and whether it is new. Of two at once, the second waits here for the first to commit."""
    said = b"\n".join([str(request.method).encode(), request.get_full_path().encode(), request.body])
    wanted = hashlib.sha256(said).hexdigest()
    rows = RememberedAnswer.objects.filter(api_key=request.auth, name=name)
    rows.filter(created_at__lte=clock.now() - KEPT).delete()
    row, is_first = RememberedAnswer.objects.get_or_create(
        api_key=request.auth, name=name, defaults={"request_hash": wanted}
    )
    if row.request_hash != wanted:
        detail = _("This Idempotency-Key was used for another request. Make a new one for each request.")
        raise Problem(422, "idempotency_key_reused", detail)
    return row, is_first


def _response(status: int, body: str) -> HttpResponse:
    return HttpResponse(body, "application/json; charset=utf-8", status)
