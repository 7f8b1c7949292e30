"""What every page of the console needs to draw its frame."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from envoi.accounts.models import Theme
from envoi.console import navigation

MODAL_HEADER = "X-Modal"


def is_modal(request: HttpRequest) -> bool:
    """Whether the page was asked for by a dialog (`frontend/src/modal.js`)."""
    return MODAL_HEADER in request.headers


def shell(request: HttpRequest) -> dict[str, object]:
    """`frame`: what a page that may stand in a dialog extends; `shell`: the words and links around the content."""
    modal = is_modal(request)
    user = getattr(request, "user", None)
    signed_in = user is not None and user.is_authenticated
    language = translation.get_language() or "en"
    return {
        "frame": "console/modal.html" if modal else "console/base.html",
        "shell": {
            "modal": modal,
            "places": navigation.shown_to(user, request.path) if user is not None and signed_in and not modal else [],
            "language": language,
            "direction": "rtl" if translation.get_language_bidi() else "ltr",
            "languages": [(code, translation.get_language_info(code)["name_local"]) for code, _ in settings.LANGUAGES],
            "theme": user.theme if user is not None and signed_in else Theme.SYSTEM,
            "themes": Theme.choices,
        },
    }
