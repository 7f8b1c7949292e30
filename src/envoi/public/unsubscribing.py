"""The page on which a reader leaves, and the one-click address of RFC 8058: the same address, by what is sent to it.

GET and HEAD ask. POST acts: with the body `List-Unsubscribe=One-Click` at once and without a page (RFC 8058 §3.2: no
cookie, no login, no redirect), from the page by the reader's choice. It is exempt from the CSRF check because nothing
here rests on a cookie: who has the token may act, nobody else can make one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import get_supported_language_variant
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from envoi.contacts.models import Suppression
from envoi.delivery.models import Delivery
from envoi.instance import queries as instance
from envoi.instance.schema import ORGANISATION_NAME
from envoi.public.answers import for_readers
from envoi.tracking import links, queries
from envoi.tracking.actions import unsubscribe as actions

LISTS, EVERYTHING, BACK = "lists", "everything", "back"
# Mail programs differ in the type they give and in what they put around it; what the reader wants is plain.
ONE_CLICK = re.compile(rb"(?:^|[&\s])List-Unsubscribe=One-Click(?:[&\s]|$)", re.IGNORECASE)
LONGEST_BODY = 65_536


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_readers
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, or act."""
    delivery_id = links.read_delivery(token, links.UNSUBSCRIBE)
    if request.method != "POST":
        return _page(request, delivery_id)
    body = request.body[:LONGEST_BODY]
    posted = _posted(request)
    if ONE_CLICK.search(body) or posted.get("List-Unsubscribe", "").strip() == "One-Click":
        actions.unsubscribe(delivery_id, everything=True, way=actions.ONE_CLICK)
        return HttpResponse("Unsubscribed\n", content_type="text/plain; charset=utf-8")
    choice = posted.get("choice")
    if choice == BACK:
        actions.resubscribe(delivery_id)
    elif choice in {LISTS, EVERYTHING}:
        actions.unsubscribe(delivery_id, everything=choice == EVERYTHING, way=actions.PAGE)
    else:
        return _page(request, delivery_id, status=400)
    return _page(request, delivery_id, came_back=choice == BACK)


def _posted(request: HttpRequest) -> Mapping[str, str]:
    """The fields that were sent; none when they cannot be read."""
    try:
        return request.POST
    except (MultiPartParserError, BadRequest):
        return {}


def _page(request: HttpRequest, delivery_id: int, *, came_back: bool = False, status: int = 200) -> HttpResponse:
    delivery = Delivery.objects.select_related("mailing__identity", "contact").get(pk=delivery_id)
    language = _language(request, delivery)
    with translation.override(language):
        html = render_to_string("public/unsubscribe.html", _context(delivery, language, came_back, status == 400))
    return HttpResponse(html, status=status, headers={"Content-Language": language})


def _context(delivery: Delivery, language: str, came_back: bool, nothing_chosen: bool) -> dict[str, Any]:
    standing = queries.standing(delivery)
    return {
        "language": language,
        "languages": LANGUAGES,
        "organisation": instance.get(ORGANISATION_NAME) or delivery.mailing.identity.from_name,
        "address": masked(delivery.address),
        "standing": standing,
        "left_by_reader": standing.suppressed == Suppression.Reason.UNSUBSCRIBED,
        "came_back": came_back,
        "nothing_chosen": nothing_chosen,
    }


# Each language by its own name.
LANGUAGES = [
    (code, {"en": "English", "fr": "Français", "nl": "Nederlands", "sv": "Svenska"}.get(code, code))
    for code, _ in settings.LANGUAGES
]


def _language(request: HttpRequest, delivery: Delivery) -> str:
    """The one asked for by `?lang=`, else the contact's, else the browser's."""
    wanted = [request.GET.get("lang", ""), delivery.contact.language if delivery.contact else ""]
    for code in filter(None, wanted):
        try:
            return get_supported_language_variant(code.replace("_", "-").lower())
        except LookupError:
            continue
    return translation.get_language() or "en"


def masked(address: str) -> str:
    """Enough of an address for its owner to know it, too little for a passer-by: `a•••@example.org`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"
