"""How many requests a key may make.

Counted in the memory of each web process, since a row per request would cost more than most requests: with several
processes, the limit is as many times as high.
"""

from __future__ import annotations

from threading import Lock

from django.utils.translation import gettext as _

from envoi.api.problems import Problem
from envoi.core import clock

PER_MINUTE = 600

_lock = Lock()
_minute = 0
_taken: dict[int, int] = {}


def take(api_key_id: int) -> None:
    """Count one request.

    Raises:
        Problem: the key has used up this minute.
    """
    global _minute
    now = clock.now().timestamp()
    with _lock:
        if _minute != int(now // 60):
            _minute = int(now // 60)
            _taken.clear()
        taken = _taken[api_key_id] = _taken.get(api_key_id, 0) + 1
    if taken > PER_MINUTE:
        wait = 60 - int(now) % 60
        detail = _("A key may make %(limit)d requests a minute. Try again in %(wait)d seconds.")
        raise Problem(
            429, "too_many_requests", detail % {"limit": PER_MINUTE, "wait": wait}, headers={"Retry-After": str(wait)}
        )
