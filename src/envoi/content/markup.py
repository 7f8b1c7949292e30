"""HTML cut into tags, texts and comments, as far as finding what stands where needs it (WHATWG HTML §13.2.5).

Meant for what an HTML5 serialiser wrote; forgiving about anything else. Joining the sources of all tokens gives the
input back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from html import escape

RAW = frozenset({"script", "style", "iframe", "xmp", "noembed", "noframes"})
ESCAPABLE_RAW = frozenset({"title", "textarea"})

_TOKEN = re.compile(
    r"""<!--(?P<comment>.*?)(?:-->|\Z)
      | <(?P<bogus>[!?][^>]*)>
      | <(?P<slash>/?)(?P<name>[a-zA-Z][^\s/>]*)(?P<attributes>(?:[^>"']|"[^"]*"|'[^']*')*)>
      | <(?P<slash2>/?)(?P<name2>[a-zA-Z][^\s/>]*)(?P<attributes2>[^>]*)>""",
    re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(r"""([^\s=>"'/][^\s=>/]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?""")


class Kind(Enum):
    """What a token is."""

    TEXT = auto()
    RAW_TEXT = auto()  # the inside of a style, script, title …: `name` says of which
    COMMENT = auto()
    DECLARATION = auto()
    START = auto()
    END = auto()


@dataclass(slots=True)
class Token:
    """A piece of HTML.

    Attributes:
        kind: what it is.
        source: as it stood there; of a comment, what is inside.
        name: of the tag, in lower case.
        attributes: names in lower case with their values as written (still escaped); None without a value.
    """

    kind: Kind
    source: str
    name: str = ""
    attributes: dict[str, str | None] = field(default_factory=dict)

    def written(self) -> str:
        """The tag as its attributes say now."""
        inside = "".join(
            f" {name}" if value is None else f' {name}="{value}"' for name, value in self.attributes.items()
        )
        return f"<{self.name}{inside}>"


def scan(html: str) -> Iterator[Token]:
    """The tokens of `html`, in order."""
    at = 0
    while at < len(html):
        found = _TOKEN.search(html, at)
        if found is None:
            yield Token(Kind.TEXT, html[at:])
            return
        if found.start() > at:
            yield Token(Kind.TEXT, html[at : found.start()])
        at = found.end()
        if found["comment"] is not None:
            yield Token(Kind.COMMENT, found["comment"])
        elif found["bogus"] is not None:
            yield Token(Kind.DECLARATION, found.group())
        else:
            token = _tag(found)
            yield token
            if token.kind is Kind.START and token.name in RAW | ESCAPABLE_RAW:
                end = re.compile(rf"</{re.escape(token.name)}(?=[\s/>])", re.IGNORECASE).search(html, at)
                stop = end.start() if end else len(html)
                if stop > at:
                    yield Token(Kind.RAW_TEXT, html[at:stop], token.name)
                at = stop


def _tag(found: re.Match[str]) -> Token:
    name = (found["name"] or found["name2"]).lower()
    if found["slash"] or found["slash2"]:
        return Token(Kind.END, found.group(), name)
    token = Token(Kind.START, found.group(), name)
    for attribute in _ATTRIBUTE.finditer(found["attributes"] or found["attributes2"] or ""):
        bare, quoted, single, plain = attribute.groups()
        value = quoted if quoted is not None else single if single is not None else plain
        if value is not None:
            value = value.replace('"', "&quot;")
        token.attributes.setdefault(bare.lower(), value)
    return token


def quoted(text: str) -> str:
    """`text` as it stands in an attribute or an element."""
    return escape(text, quote=True)
