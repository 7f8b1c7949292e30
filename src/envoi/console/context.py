"""What every page of the console needs to draw its frame."""

from __future__ import annotations

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, object]:
    """Nothing yet but the place."""
    return {}
