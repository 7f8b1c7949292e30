"""Links that can lead nowhere, found before anybody clicks on one: no address, or one with a slip in its beginning.

Only what is surely wrong is a fault, since a fault keeps the message from being sent: any scheme but a misspelt “https”
passes (apps have their own), and so do “#” and whatever begins with a merge tag.
"""

from __future__ import annotations

import re
from html import unescape

from django.utils.translation import gettext as _

from envoi.content import markup
from envoi.content.compile.constructs import MARKER
from envoi.content.problems import Problem

_LINKS = frozenset({"a", "area"})
_SLIP = re.compile(
    r"""(?!https?:) [htps]{2,7} :   # htp:, htttps:, ttp:
      | https? : (?!//)             # http:/x, https:x
      | https? :// (?:[\s/?\#]|\Z)  # no host
      | https? /                    # https//x
      | www\.                       # no scheme
    """,
    re.IGNORECASE | re.VERBOSE,
)


def link_faults(text: str, written: str, field: str) -> list[Problem]:
    """The faults of the links in `text`, HTML with markers; `written` is what its author wrote, for the lines."""
    found = []
    for token in markup.scan(text):
        if token.kind is not markup.Kind.START or token.name not in _LINKS or "href" not in token.attributes:
            continue
        href = token.attributes["href"] or ""
        address = unescape(href).strip()
        if not address:
            message = _("A link has no address. Write one into href, or take the link away.")
            found.append(Problem(field, _line(r"""href(?:\s*=\s*(?:""|''|"\s+"|'\s+'))?(?=[\s>])""", written), message))
        elif _SLIP.match(address):
            message = _("“%(address)s” is no complete address. Write it with https:// in front.")
            shown = MARKER.sub("…", address)[:100]
            line = _line(rf"""href\s*=\s*["']?\s*{re.escape(MARKER.split(href.strip())[0])}""", written)
            found.append(Problem(field, line, message % {"address": shown}))
    return found


def _line(pattern: str, written: str) -> int:
    place = re.search(pattern, written, re.IGNORECASE)
    return written.count("\n", 0, place.start()) + 1 if place else 0
