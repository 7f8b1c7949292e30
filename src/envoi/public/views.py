"""Open pixel, click redirect, web view."""

from __future__ import annotations

from typing import TypedDict

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from envoi.content import isolated
from envoi.delivery.models import Delivery
from envoi.public.answers import for_readers
from envoi.tracking import links, origins, targets
from envoi.tracking.actions import record

# The smallest transparent picture that every mail program shows: GIF89a, one pixel.
PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00"
    b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)


@require_safe
@for_readers
def open_pixel(request: HttpRequest, token: str) -> HttpResponse:
    """The picture whose fetching says that the message was opened."""
    record.record_open(links.read_delivery(token, links.OPEN), **_requester(request))
    return HttpResponse(PIXEL, content_type="image/gif", headers={"Cross-Origin-Resource-Policy": "cross-origin"})


@require_safe
@for_readers
def click(request: HttpRequest, token: str, link: str) -> HttpResponse:
    """On to the address that a tracked link was registered with; works from memory while the database is away."""
    clicked = links.read_click(token, link)
    record.record_click(clicked, **_requester(request))
    return HttpResponseRedirect(targets.target(clicked))


@require_safe
@for_readers
def web_view(request: HttpRequest, token: str) -> HttpResponse:
    """The message as it was sent, in the browser."""
    delivery_id = links.read_delivery(token, links.WEB_VIEW)
    delivery = Delivery.objects.select_related("mailing", "contact").get(pk=delivery_id)
    origin = origins.of(delivery.mailing)
    if origin is None:
        raise origins.NothingToShow(f"nobody shows the messages of {delivery.mailing.composer}")
    return isolated.document(origin.web_view(delivery).html)


class _Requester(TypedDict):
    method: str
    user_agent: str
    address: str


def _requester(request: HttpRequest) -> _Requester:
    return {
        "method": request.method or "GET",
        "user_agent": request.META.get("HTTP_USER_AGENT", ""),
        "address": request.META.get("REMOTE_ADDR", ""),
    }
