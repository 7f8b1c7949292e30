"""The layout that every installation begins with: calm, readable on a telephone and in the dark."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "layouts"
NAME = "Envoi"


def html() -> str:
    """Its HTML."""
    return (_FOLDER / "default.html").read_text(encoding="utf-8")


def text() -> str:
    """What stands around the plain version."""
    return (_FOLDER / "default.txt").read_text(encoding="utf-8")
