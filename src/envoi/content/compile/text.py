"""The plain version: made from the HTML (links as `[text](address)`), or the author's own with its links tracked."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig

from envoi.content import markup
from envoi.content.compile.constructs import MARKER, Constructs, Kind, Run, split
from envoi.content.compile.source import LinkFor
from envoi.content.escaping import Place

_CONFIG = ParserConfig(css=CSS_PROFILES["strict"].copy(), display_links=True)
_TABLE = frozenset({"table", "thead", "tbody", "tfoot", "tr", "td", "th"})
_ONLY_MARKERS = re.compile("^[ \t]*([\U000f0000-\U0010ffff]+)[ \t]*\n(?:[ \t]*\n)*", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")
_TRAILING = re.compile(r"[ \t]+\n")
_ADDRESS = re.compile(r"\]\([^()\s]*\)|https?://[^\s<>\"']+")
_PLAIN_LINK = re.compile("https?://(?:[^\\s<>\"'()\\[\\]{}]|[\U000f0000-\U0010ffff])+", re.IGNORECASE)


class Readable:
    """A document written again with only what matters to its plain version.

    Layout tables become blocks, images their alternative words; of attributes only addresses and hiding are left.
    """

    def __init__(self) -> None:
        self._out: list[str] = []
        self._layouts: list[bool] = []

    def words(self, words: str) -> None:
        """Text with markers, escaped for HTML."""
        self._out.append(words)

    def start(self, token: markup.Token) -> None:
        """A tag opens."""
        if token.name == "table":
            self._layouts.append(token.attributes.get("role") == "presentation")
        if token.name == "img":
            self._out.append(token.attributes.get("alt") or "")
        elif token.name in _TABLE and self._layouts and self._layouts[-1]:
            self._out.append(f"<div{_hidden(token)}>")
        else:
            href = f' href="{token.attributes["href"]}"' if token.attributes.get("href") else ""
            self._out.append(f"<{token.name}{href}{_hidden(token)}>")

    def end(self, name: str) -> None:
        """A tag closes."""
        block = name in _TABLE and self._layouts and self._layouts[-1]
        self._out.append("</div>" if block else f"</{name}>")
        if name == "table" and self._layouts:
            self._layouts.pop()

    def text(self, begin: str, end: str, constructs: Constructs, *, only_between: bool) -> str:
        """Its words, or only those between the markers `begin` and `end`."""
        written = "".join(self._out)
        if only_between:
            written = written.partition(begin)[2].rpartition(end)[0]
        found = from_html(written.replace(begin, "").replace(end, ""))
        return _ONLY_MARKERS.sub(lambda line: _without_line(line, constructs), found)


def _without_line(line: re.Match[str], constructs: Constructs) -> str:
    """A line on which only conditions and loops stand is no line of the text."""
    return line[1] if all(constructs[marker].kind is Kind.TAG for marker in line[1]) else line[0]


def _hidden(token: markup.Token) -> str:
    style = (token.attributes.get("style") or "").replace(" ", "")
    return ' style="display:none"' if "display:none" in style or "hidden" in token.attributes else ""


def from_html(readable: str) -> str:
    """The words of an HTML document with markers."""
    if not readable.strip():
        return ""
    found = get_text(f"<body>{readable}</body>", _CONFIG)
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
