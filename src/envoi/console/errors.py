"""What people see when a page fails."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseServerError
from django.template import loader

# What is left when not even the frame can be drawn.
PLAIN = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Something went wrong</title>"
    "<h1>Something went wrong</h1><p>Try again; the cause stands in the log of this installation.</p>"
    '<a href="/">Envoi</a>'
)


def server_error(request: HttpRequest) -> HttpResponseServerError:
    """The page for a failure of ours. Drawn without the request: its context might be what failed."""
    try:
        return HttpResponseServerError(loader.render_to_string("500.html"))
    except Exception:  # whatever it is, the first failure is already in the log, and this one must not hide it
        return HttpResponseServerError(PLAIN)
