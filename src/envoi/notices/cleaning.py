"""Make a notice's content harmless: what is not on the list of the house goes, before it is stored.

Pure. A notice is words: no pictures (they tell others who looks), no styles (dashboards have their own), no forms.
"""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlsplit

import nh3

TAGS = {
    "a", "b", "blockquote", "br", "code", "del", "div", "em", "h2", "h3", "h4", "hr", "i", "li", "ol", "p", "pre", "s",
    "span", "strong", "sub", "sup", "u", "ul",
}  # fmt: skip
SCHEMES = {"http", "https", "mailto", "tel"}
LONGEST = 50_000
_MARKUP = re.compile(r"<[^>]*>")
_WITH_SCHEME = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)
_WITH_HOST = re.compile(r"https?://[^\s/?#\\]", re.IGNORECASE)


def clean(html: str) -> str:
    """`html` with nothing left that could run, load, frame, style or pretend."""
    return nh3.clean(
        html,
        tags=TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        attribute_filter=_whole_addresses,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer",
        strip_comments=True,
    ).strip()


def _whole_addresses(tag: str, attribute: str, value: str) -> str | None:
    """Links say where they lead: what is relative would lead elsewhere on each dashboard."""
    return value if attribute != "href" or _WITH_SCHEME.match(value) else None


def has_words(html: str) -> bool:
    """Whether anything is left to read."""
    return bool(unescape(_MARKUP.sub("", html)).strip())


def is_web_address(url: str) -> bool:
    """Whether a button may lead to `url`: an absolute http or https address without control characters."""
    if not _WITH_HOST.match(url) or any(ord(letter) <= 32 or ord(letter) == 127 for letter in url):
        return False
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False
