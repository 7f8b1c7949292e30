"""What somebody sees now; seen, dismissed, acknowledged, clicked."""

from __future__ import annotations

from collections.abc import Callable

import orjson
from django.http import HttpRequest, HttpResponse

from envoi.core import clock
from envoi.notices import actions, queries
from envoi.notices.queries import Shown, stamps
from envoi.public.notices.answers import LONGEST_BODY, for_dashboards, json, problem

# Part of every ETag: an answer of another form is another answer.
FORM = "1"
# Kept, but asked about each time; shown from the copy when Envoi cannot be reached (RFC 5861 §4).
KEPT = "private, max-age=0, stale-if-error=86400"


@for_dashboards("GET", "HEAD")
def shown(request: HttpRequest, contact_id: int) -> HttpResponse:
    """The notices of this moment, most urgent first: at most as many as the installation shows, `?all=1` for all."""
    everything = request.GET.get("all") == "1"
    tag = f'"{FORM}{"a" if everything else ""}-{queries.stamp_of(contact_id)}"'
    if tag in request.headers.get("If-None-Match", ""):
        answer = HttpResponse(status=304)
    else:
        answer = json(_now(contact_id, everything))
    answer["ETag"] = tag
    answer["Cache-Control"] = KEPT
    return answer


@for_dashboards("POST")
def seen(request: HttpRequest, contact_id: int) -> HttpResponse:
    """These were in front of the person's eyes: `{"ids": […]}`."""
    ids = _ids(request)
    if ids is None:
        return problem(400, "Bad Request")
    actions.see(ids, contact_id)
    return HttpResponse(status=204)


def _doing(act: Callable[[str, int], bool]) -> Callable[..., HttpResponse]:
    @for_dashboards("POST")
    def done(request: HttpRequest, contact_id: int, key: str) -> HttpResponse:
        return HttpResponse(status=204) if act(key, contact_id) else problem(404, "Not Found")

    return done


dismissal = _doing(actions.dismiss)
acknowledgement = _doing(actions.acknowledge)
clicks = _doing(actions.click)


def _now(contact_id: int, everything: bool) -> dict[str, object]:
    found = queries.shown_to(contact_id, now=clock.now(), limit=0)
    most = 0 if everything else stamps.limits()[1]
    rows = found[:most] if most else found
    return {"notices": [_told(one) for one in rows], "more": len(found) - len(rows)}


def _told(one: Shown) -> dict[str, object]:
    return {
        "id": one.key,
        "level": one.level,
        "subject": one.subject,
        "body": one.body,
        "link": {"label": one.link_label, "url": one.link_url} if one.link_url else None,
        "dismissible": one.dismissible,
        "must_acknowledge": one.must_acknowledge,
        "starts_at": one.starts_at,
        "ends_at": one.ends_at,
    }


def _ids(request: HttpRequest) -> list[str] | None:
    if int(request.META.get("CONTENT_LENGTH") or 0) > LONGEST_BODY:
        return None
    try:
        said = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        return None
    ids = said.get("ids") if isinstance(said, dict) else None
    if not isinstance(ids, list) or not all(isinstance(one, str) and "\0" not in one for one in ids):
        return None
    return ids
