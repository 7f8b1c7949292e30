"""The HTML document of an e-mail: styles inlined, what cannot work in mail removed, what readers need added.

Added: `lang` and `dir` (on `html` and on the first element of the body), `title`, character set, viewport, the hidden
preview text, `alt` on images, `role="presentation"` on tables without header cells, the open pixel.
Removed: scripts, event handlers, frames and plug-ins, `javascript:` addresses, ordinary comments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape

import css_inline

from envoi.content import markup
from envoi.content.compile.constructs import MARKER, Constructs, Hole, Kind, Run, split
from envoi.content.compile.prepare import prepared
from envoi.content.compile.source import LinkFor
from envoi.content.compile.text import Readable
from envoi.content.escaping import Place
from envoi.content.merge_tags import SPECIALS
from envoi.content.problems import Problem

_URL_ATTRIBUTES = frozenset({"href", "src", "background", "action", "poster", "cite", "xlink:href", "srcset"})
_LINKS = frozenset({"a", "area", "v:roundrect", "v:rect", "v:shape"})
_DROPPED = frozenset(
    {"script", "iframe", "object", "embed", "applet", "base", "noembed", "noframes", "frame", "frameset"}
)
_CONDITIONAL = re.compile(r"(\[if\b[^\]]*\]>)(.*?)(<!\[endif\])?\Z", re.DOTALL)
_BOGUS = re.compile(r"\[(?:if\b[^\]]*|endif)\]")
_BAD_SCHEME = re.compile(r"[\s\x00-\x20]*(?:javascript|vbscript|data|file)\s*:", re.IGNORECASE)
_DATA_IMAGE = re.compile(r"\s*data:image/(?:png|gif|jpe?g|webp)[;,]", re.IGNORECASE)
_WEB = re.compile(r"https?://", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")
_HIDDEN = "display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;mso-hide:all"
_PIXEL_STYLE = "display:block;border:0;width:1px;height:1px"

_inliner = css_inline.CSSInliner(
    inline_style_tags=True,
    keep_style_tags=True,
    remove_inlined_selectors=True,
    keep_at_rules=True,
    load_remote_stylesheets=False,
)


@dataclass(slots=True)
class Document:
    """The finished document: as it is sent, and the same without what only HTML needs, for the text version."""

    runs: list[Run] = field(default_factory=list)
    readable: Readable = field(default_factory=Readable)
    problems: list[Problem] = field(default_factory=list)
    links: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """What is put into every document: `title` and `preheader` are escaped texts with markers."""

    language: str
    direction: str
    title: str
    preheader: str
    pixel: str


def built(html: str, frame: Frame, constructs: Constructs, link_for: LinkFor | None) -> Document:
    """The document of `html`, a text with markers."""
    builder = _Builder(frame, constructs, link_for)
    ready = prepared(html, constructs, builder.document.problems)
    if builder.document.problems:
        return builder.document
    builder.write(_inliner.inline(ready))
    return builder.document


class _Builder:
    """Writes the document token by token."""

    def __init__(self, frame: Frame, constructs: Constructs, link_for: LinkFor | None) -> None:
        self.document = Document()
        self._frame, self._constructs, self._link_for = frame, constructs, link_for
        self._seen_title = self._in_title = False
        self._hidden = 0  # inside a conditional comment: not for the text version

    def write(self, html: str) -> None:
        tokens = list(markup.scan(html))
        self._seen_title = any(token.name == "title" for token in tokens)
        for index, token in enumerate(tokens):
            self._write(token, tokens, index)

    def _write(self, token: markup.Token, tokens: list[markup.Token], index: int) -> None:
        match token.kind:
            case markup.Kind.TEXT:
                self._words(token.source)
            case markup.Kind.RAW_TEXT:
                self._raw(token)
            case markup.Kind.COMMENT:
                self._comment(token.source)
            case markup.Kind.DECLARATION:
                self._add(token.source, Place.HTML)
            case markup.Kind.END:
                self._end(token)
            case markup.Kind.START:
                self._start(token, tokens, index)

    def _add(self, text: str, place: Place) -> None:
        self.document.runs += split(text, lambda _offset: place)

    def _words(self, text: str) -> None:
        self._add(text, Place.HTML)
        if not self._hidden:
            self.document.readable.words(text)

    def _raw(self, token: markup.Token) -> None:
        if token.name == "title":
            self._add(self._frame.title, Place.HTML)
        elif token.name not in _DROPPED:
            self._add(token.source, Place.CSS if token.name == "style" else Place.HTML)

    def _comment(self, inside: str) -> None:
        if MARKER.fullmatch(inside):
            self._words(inside)
        elif _BOGUS.fullmatch(inside):
            self._add(f"<!{inside}>", Place.HTML)
        elif self._hidden:  # comments do not nest: this one never ended
            self._add(f"<!--{inside}", Place.HTML)
        elif conditional := _CONDITIONAL.match(inside):
            self._hidden += 1
            self._add(f"<!--{conditional[1]}", Place.HTML)
            tokens = list(markup.scan(conditional[2]))
            for index, token in enumerate(tokens):
                self._write(token, tokens, index)
            self._add(f"{conditional[3] or ''}-->", Place.HTML)
            self._hidden -= 1
        elif "[endif]" in inside or "[if" in inside:
            self._add(f"<!--{inside}-->", Place.HTML)

    def _end(self, token: markup.Token) -> None:
        if token.name in _DROPPED:
            return
        if token.name == "body" and not self._hidden:
            if self._frame.pixel:
                pixel = f'<img src="{self._frame.pixel}" width="1" height="1" alt="" style="{_PIXEL_STYLE}">'
                self._add(pixel, Place.ATTRIBUTE)
            self._add("</div>", Place.HTML)
        self._add(token.source, Place.HTML)
        if not self._hidden:
            self.document.readable.end(token.name)

    def _start(self, token: markup.Token, tokens: list[markup.Token], index: int) -> None:
        if token.name in _DROPPED or "refresh" in (token.attributes.get("http-equiv") or "").lower():
            return
        self._cleaned(token)
        frame = self._frame
        if token.name == "html":
            token.attributes |= {"lang": frame.language, "dir": frame.direction}
        elif token.name == "img":
            token.attributes.setdefault("alt", "")
        elif token.name == "table" and "role" not in token.attributes and _is_layout(tokens, index):
            token.attributes["role"] = "presentation"
        if token.name in _LINKS and token.attributes.get("href"):
            self._track(token, tokens, index)
        self._tag(token)
        if self._hidden:
            return
        self.document.readable.start(token)
        if token.name == "head":
            self._head(tokens)
        elif token.name == "body":
            self._add(f'<div lang="{frame.language}" dir="{frame.direction}">', Place.HTML)
            if frame.preheader:
                padding = "&#8199;&#847; " * 30
                self.document.runs += split(
                    f'<div style="{_HIDDEN}">{frame.preheader}{padding}</div>', lambda _o: Place.HTML
                )

    def _head(self, tokens: list[markup.Token]) -> None:
        metas = [token for token in tokens if token.name == "meta"]
        if not any("charset" in token.attributes or "content-type" in str(token.attributes).lower() for token in metas):
            self._add('<meta charset="utf-8">', Place.HTML)
        if not any(token.attributes.get("name") == "viewport" for token in metas):
            self._add('<meta name="viewport" content="width=device-width, initial-scale=1">', Place.HTML)
        if not self._seen_title:
            self._add(f"<title>{self._frame.title}</title>", Place.HTML)

    def _cleaned(self, token: markup.Token) -> None:
        for name, value in list(token.attributes.items()):
            if name.startswith("on") or (
                name in _URL_ATTRIBUTES
                and value is not None
                and _BAD_SCHEME.match(unescape(value))
                and not (token.name == "img" and _DATA_IMAGE.match(value))
            ):
                del token.attributes[name]

    def _tag(self, token: markup.Token) -> None:
        self._add(f"<{token.name}", Place.HTML)
        for name, value in token.attributes.items():
            self._add(f" {name}" if value is None else f' {name}="', Place.HTML)
            if value is not None:
                self.document.runs += split(value, lambda at, name=name: self._place(name, at))  # type: ignore[misc]
                self._add('"', Place.HTML)
        self._add(">", Place.HTML)

    def _place(self, attribute: str, at: int) -> Place:
        if attribute in _URL_ATTRIBUTES:
            return Place.URL if at == 0 else Place.URL_PART
        return Place.CSS if attribute == "style" else Place.ATTRIBUTE

    def _track(self, token: markup.Token, tokens: list[markup.Token], index: int) -> None:
        href = token.attributes["href"] or ""
        untracked = {"data-no-track", "mautic:disable:tracking"} & token.attributes.keys()
        for name in untracked:
            del token.attributes[name]
        first = self._constructs[href[0]] if MARKER.match(href) else None
        if untracked or self._link_for is None or not (_WEB.match(href) or first):
            return
        if any(
            self._constructs[marker].kind in (Kind.TAG, Kind.SPECIAL) or self._constructs[marker].inner in SPECIALS
            for marker in MARKER.findall(href)
        ):
            return
        url = MARKER.sub(lambda found: f"{{{{ {self._constructs[found.group()].inner} }}}}", unescape(href))
        special = self._link_for(self.document.links, url, _label(tokens, index, token.name))
        self.document.links += 1
        if special is not None:
            token.attributes["href"] = self._constructs.special(special)


def _is_layout(tokens: list[markup.Token], index: int) -> bool:
    depth = 0
    for token in tokens[index:]:
        if token.name == "table":
            depth += {markup.Kind.START: 1, markup.Kind.END: -1}.get(token.kind, 0)
            if depth == 0:
                return True
        if depth == 1 and token.name in ("th", "caption"):
            return False
    return True


def _label(tokens: list[markup.Token], index: int, name: str) -> str:
    words = []
    for token in tokens[index + 1 :]:
        if token.kind is markup.Kind.END and token.name == name:
            break
        if token.kind is markup.Kind.TEXT:
            words.append(unescape(token.source))
        elif token.name == "img":
            words.append(unescape(token.attributes.get("alt") or ""))
    return _BLANKS.sub(" ", MARKER.sub("…", " ".join(words))).strip()[:200]


__all__ = ["Document", "Frame", "Hole", "built"]
