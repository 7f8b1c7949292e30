"""The plain version: made from the HTML (links as `[text](address)`), or the author's own with its links tracked."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig

from envoi.content.compile.constructs import MARKER, Constructs, Kind, Run, split
from envoi.content.compile.source import LinkFor
from envoi.content.escaping import Place

_CONFIG = ParserConfig(css=CSS_PROFILES["strict"].copy(), display_links=True)
_EMPTY_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")
_TRAILING = re.compile(r"[ \t]+\n")
_ADDRESS = re.compile(r"\]\([^()\s]*\)|https?://[^\s<>\"']+")
_PLAIN_LINK = re.compile("https?://(?:[^\\s<>\"'()\\[\\]{}]|[\U000f0000-\U0010ffff])+", re.IGNORECASE)


def from_html(readable: str) -> str:
    """The words of an HTML document with markers."""
    found = get_text(readable, _CONFIG)
    return _EMPTY_LINES.sub("\n\n", _TRAILING.sub("\n", found.replace("\xa0", " "))).strip("\n") + "\n"


def tracked(text: str, constructs: Constructs, link_for: LinkFor | None, position: int) -> str:
    """The author's own plain version with markers for its tracked links, counted from `position`."""
    if link_for is None:
        return text

    def replace(found: re.Match[str]) -> str:
        nonlocal position
        url = found.group().rstrip(".,;:!?")
        if any(constructs[marker].kind is not Kind.OUTPUT for marker in MARKER.findall(url)):
            return found.group()
        template = MARKER.sub(lambda marker: f"{{{{ {constructs[marker.group()].inner} }}}}", url)
        special = link_for(position, template, template[:200])
        position += 1
        return found.group() if special is None else constructs.special(special) + found.group()[len(url) :]

    return _PLAIN_LINK.sub(replace, text)


def runs(text: str) -> Iterator[Run]:
    """`text` with markers as runs: inside an address a value is percent-encoded."""
    spans = [(found.start() + (2 if found.group()[0] == "]" else 0), found.end()) for found in _ADDRESS.finditer(text)]

    def place(at: int) -> Place:
        for start, end in spans:
            if start <= at < end:
                return Place.TEXT_URL if at == start else Place.TEXT_URL_PART
        return Place.TEXT

    return split(text, place)
