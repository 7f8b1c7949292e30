"""The one escape rule: how a value is written at each place of a message.

A value is data: it is never read as Liquid, HTML, a URL's structure or a header. Every place drops control characters.
Safe markup (the result of `{% capture %}`, `newline_to_br` and the like) keeps its tags in HTML text and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from html import escape, unescape
from urllib.parse import quote

from liquid.stringify import to_liquid_string
from markupsafe import Markup


class Place(StrEnum):
    """Where a value stands."""

    HTML = "at_html"  # text of an element
    ATTRIBUTE = "at_attribute"  # inside a quoted attribute
    URL = "at_url"  # the beginning of an address in an attribute: the value brings its own scheme
    URL_PART = "at_url_part"  # further on in an address in an attribute
    CSS = "at_css"  # inside a style
    TEXT = "at_text"  # plain text
    TEXT_URL = "at_text_url"  # the beginning of an address in plain text
    TEXT_URL_PART = "at_text_url_part"
    HEADER = "at_header"  # the subject: one line


# C0 and C1 controls but tab and line feed, lone surrogates, and the private planes that the compiler uses as markers.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U000f0000-\U0010ffff]")
_HTML_SPECIAL = re.compile("[&<>\"'\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U000f0000-\U0010ffff]").search
_BLANKS = re.compile(r"\s+")
_WORD = "[^\\s\x00-\x20\x7f-\x9f\ud800-\udfff\ufffe\uffff\U000f0000-\U0010ffff]+"
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]*:")
_ALLOWED_SCHEMES = ("http:", "https:", "mailto:", "tel:", "sms:")
_CSS_UNSAFE = re.compile(r"[^\w #%.,+\-]|(?i:expression|url|import|behaviou?r)")
_RESERVED = ":/?#[]@!$&'()*+,;=-._~%"


is_tidy = re.compile(f"{_WORD}(?: {_WORD})*").fullmatch
"""Whether a text is words with single blanks between and no control character: already as it stands on one line."""


def stringify(value: object) -> str:
    """The text of a value as Liquid writes it; no control characters, line ends as line feeds."""
    text = value if isinstance(value, str) else to_liquid_string(value, autoescape=False)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", text)


def at_html(value: object) -> str:
    """As text of an HTML element."""
    if type(value) is str and not _HTML_SPECIAL(value):
        return value
    if isinstance(value, Markup):
        return stringify(str(value))
    return escape(stringify(value), quote=True)


def at_attribute(value: object) -> str:
    """As (part of) an attribute's value in quotes."""
    if type(value) is str and not _HTML_SPECIAL(value):
        return value
    return escape(_plain(value), quote=True)


def _plain(value: object) -> str:
    return stringify(unescape(str(value))) if isinstance(value, Markup) else stringify(value)


def at_text_url(value: object) -> str:
    """As a whole address; anything but a web, mail or telephone address becomes empty."""
    url = quote(_plain(value).strip(), safe=_RESERVED)
    scheme = _SCHEME.match(url)
    if scheme and not url.lower().startswith(_ALLOWED_SCHEMES):
        return ""
    return url


def at_text_url_part(value: object) -> str:
    """As a component of an address (RFC 3986 §2.1)."""
    return quote(_plain(value), safe="")


def at_url(value: object) -> str:
    """As a whole address in an attribute."""
    return escape(at_text_url(value), quote=True)


def at_css(value: object) -> str:
    """As a value in a style: letters, digits and a few signs; no functions, no further declarations."""
    return _CSS_UNSAFE.sub("", _plain(value))


def at_header(value: object) -> str:
    """On one line."""
    return _BLANKS.sub(" ", _plain(value))


ESCAPES: dict[Place, Callable[[object], str]] = {
    Place.HTML: at_html,
    Place.ATTRIBUTE: at_attribute,
    Place.URL: at_url,
    Place.URL_PART: at_text_url_part,
    Place.CSS: at_css,
    Place.TEXT: _plain,
    Place.TEXT_URL: at_text_url,
    Place.TEXT_URL_PART: at_text_url_part,
    Place.HEADER: at_header,
}
