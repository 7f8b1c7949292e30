"""Where the bundler put things (`frontend/build.mjs`): hashed file names and the drawings of the icons."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from django.templatetags.static import static

DIST = Path(__file__).parent / "static/envoi/dist"


class FrontEndNotBuilt(Exception):
    """The bundle is missing; `pip install .` makes it, and so does `npm run build` in `frontend/`."""


@lru_cache(maxsize=2)
def _read(name: str, changed: float) -> dict[str, str]:
    loaded: dict[str, str] = json.loads((DIST / name).read_text())
    return loaded


def _bundled(name: str) -> dict[str, str]:
    """A file of the bundle; read again only when it was built anew.

    Raises:
        FrontEndNotBuilt: it is not there.
    """
    try:
        return _read(name, (DIST / name).stat().st_mtime)
    except FileNotFoundError as error:
        raise FrontEndNotBuilt(
            "The front end is not built: run “pip install .”, or “npm ci && npm run build” in frontend/."
        ) from error


def address(name: str) -> str:
    """The address of `console.js`, `console.css` or `theme.js`; it changes with the content.

    Raises:
        FrontEndNotBuilt: there is no bundle.
    """
    return static(f"envoi/dist/{_bundled('manifest.json')[name]}")


def drawing(icon: str) -> str:
    """What stands inside the `<svg>` of an icon of `frontend/icons.txt`.

    Raises:
        KeyError: it is not in that list.
        FrontEndNotBuilt: there is no bundle.
    """
    return _bundled("icons.json")[icon]
