"""What people see when a page fails."""

from __future__ import annotations

import errno
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template import loader
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

# What is left when not even the frame can be drawn.
PLAIN = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Something went wrong</title>"
    "<h1>Something went wrong</h1><p>Try again; the cause stands in the log of this installation.</p>"
    '<a href="/">Envoi</a>'
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong around Envoi, and the remedy, for the person at the page."""

    title: StrPromise
    text: StrPromise


FULL = Trouble(
    _("The disk is full"),
    _("Nothing was changed. Make room on the disk of this installation, then try again; what waits goes on by itself."),
)
AWAY = Trouble(
    _("The database cannot be used"),
    _("Nothing was changed. Try again soon; “bin/envoi check” says what is wrong with it."),
)


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for a failure. Drawn without the request: its context might be what failed."""
    trouble = around(sys.exc_info()[1])
    try:
        if trouble is not None:
            return HttpResponse(loader.render_to_string("503.html", {"trouble": trouble}), status=503)
        return HttpResponseServerError(loader.render_to_string("500.html"))
    except Exception:  # whatever it is, the first failure is already in the log, and this one must not hide it
        return HttpResponseServerError(PLAIN)


def around(error: BaseException | None) -> Trouble | None:
    """The trouble around Envoi that `error` comes from, or None when the fault is ours."""
    text = str(error).lower()
    if isinstance(error, OSError):
        return FULL if error.errno in {errno.ENOSPC, errno.EDQUOT} else None
    if not isinstance(error, OperationalError):
        return None
    return FULL if "is full" in text or "no space left" in text else None if "no such" in text else AWAY
