"""HTML with markers made ready for the parsers: faults that they would hide are found, markers are made to stay.

Guarantee: what passes here is nested so shallowly that parsers in C cannot run out of stack, and the content of the
e-mail ends where it ends: it cannot swallow the layout's footer.
"""

from __future__ import annotations

from collections import Counter

from django.utils.translation import gettext as _

from envoi.content import markup
from envoi.content.compile.constructs import MARKER, Construct, Constructs, Kind
from envoi.content.problems import Problem

DEEPEST = 200  # parsers in C go down by recursion: some thousand levels end the process
_CLOSED_BY_ITSELF = frozenset(
    {"p", "li", "td", "th", "tr", "dd", "dt", "option", "thead", "tbody", "tfoot", "html", "head", "body"}
    | {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "param"}
)


def prepared(html: str, constructs: Constructs, problems: list[Problem]) -> str:
    """`html` with markers between elements as comments: parsers leave those where they are, even inside tables."""
    out, depth = [], Counter[str]()
    for token in markup.scan(html):
        if depth.total() - sum(depth[name] for name in _CLOSED_BY_ITSELF) > DEEPEST:
            return _refused(problems)
        source = token.source
        if token.kind is markup.Kind.TEXT:
            source = MARKER.sub(lambda found: f"<!--{found.group()}-->", source)
        elif token.kind is markup.Kind.COMMENT:
            problems += _swallowed(source, "<!--", constructs)
            source = f"<!--{source}-->"
        elif token.kind is markup.Kind.RAW_TEXT:
            problems += _swallowed(source, f"<{token.name}>", constructs)
            problems += [
                constructs[marker].problem(
                    _("A condition cannot stand inside <%(name)s>; put it into a style attribute.")
                    % {"name": token.name}
                )
                for marker in MARKER.findall(source)
                if constructs[marker].kind is Kind.TAG and token.name == "style"
            ]
        elif token.kind in (markup.Kind.START, markup.Kind.END):
            depth[token.name] += 1 if token.kind is markup.Kind.START else -1 if depth[token.name] > 0 else 0
            problems += [
                constructs[marker].problem(_inside_a_tag(constructs[marker], token))
                for part in (token.name, *token.attributes)
                for marker in MARKER.findall(part)
            ]
        out.append(source)
    return "".join(out)


def _swallowed(words: str, by: str, constructs: Constructs) -> list[Problem]:
    """The end of the content must not stand inside a comment or style: the footer would vanish with it."""
    ends = [marker for marker in MARKER.findall(words) if constructs[marker].is_edge]
    return [Problem("body", 0, _("“%(opening)s” is opened in the content and never closed.") % {"opening": by})] * bool(
        ends
    )


def _refused(problems: list[Problem]) -> str:
    problems.append(Problem("body", 0, _("The elements are nested too deeply, or many of them are never closed.")))
    return ""


def _inside_a_tag(construct: Construct, token: markup.Token) -> str:
    if construct.is_edge:
        return _("The tag <%(name)s is never closed with >.") % {"name": MARKER.sub("…", token.name)}
    name = MARKER.sub("…", token.name)
    return _("Liquid cannot stand inside a tag but in the quotes of an attribute: <%(name)s …>.") % {"name": name}
