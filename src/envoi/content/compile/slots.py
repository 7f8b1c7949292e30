"""Values of merge tags: straight to the data where the tag is plain, else by Liquid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from liquid.builtin.expressions import FilteredExpression, Path, PositionalArgument, StringLiteral
from liquid.builtin.output import OutputNode
from markupsafe import Markup

from envoi.content import liquid
from envoi.content.compile.constructs import Construct, Kind
from envoi.content.escaping import ESCAPES, Place
from envoi.content.merge_tags import SPECIALS

Data = Mapping[str, Any]
Specials = Mapping[str, str]
Route = tuple[str, ...]
"""Where a value stands: ("contact", "first_name"), ("contact", "fields", "colour"), or ("unsubscribe_url",)."""

HTML_PLACES = frozenset({Place.HTML, Place.ATTRIBUTE, Place.URL, Place.URL_PART, Place.CSS})
ROOTS = frozenset({"contact", "organisation", "broadcast"}) | SPECIALS
_SHARED = ("organisation", "broadcast")
_SHAPES = frozenset({"size", "first", "last"})  # Liquid answers these of any list or text
MISSING: Final = object()
"""The value of what is not there at all."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A merge tag without Liquid: slots of equal route and `way` give the same words.

    Attributes:
        way: names the place and the default; values that are equal and go the same way are written the same.
    """

    route: Route
    way: tuple[Place, str | None]
    escape: Callable[[object], str]
    otherwise: str

    def words(self, value: object) -> str:
        """The escaped words of the value at `route`; of `MISSING` too."""
        if value is MISSING:
            return self.otherwise
        if self.way[1] is not None and (value is None or value is False or value in ("", [], {})):
            return self.otherwise
        return self.escape(value)

    def of(self, data: Data, specials: Specials) -> str:
        """The words for one person."""
        return self.words(found(self.route, data, specials))


@dataclass(frozen=True, slots=True)
class Computed:
    """A merge tag that Liquid works out for each person."""

    of: Callable[[Data, Specials], str]


Slot = Plain | Computed


def found(route: Route, data: Data, specials: Specials) -> object:
    """The value at `route`, `MISSING` when there is none."""
    if len(route) == 1:
        return specials.get(route[0], MISSING)
    try:
        value = data[route[0]][route[1]]
        if len(route) == 3:
            value = value[route[2]] if isinstance(value, dict) else None
    except (KeyError, TypeError):
        return MISSING
    return value


def slot(construct: Construct, place: Place) -> Slot:
    """What gives the escaped value of `construct` at `place`."""
    if construct.kind is Kind.SPECIAL:
        return _special(construct.inner, place)
    html = place in HTML_PLACES
    expression = _expression(construct.inner, html)
    if expression is not None:
        path, default = expression
        if len(path) == 1 and path[0] in SPECIALS:
            return _special(path[0], place)
        if len(path) in (2, 3):
            return _straight(path, default, place, html)
    template = liquid.parse(f"{{{{ {construct.inner} | {place.value} }}}}", field=construct.field, html=html, ours=True)

    def through_liquid(data: Data, specials: Specials) -> str:
        written = liquid.render(template, {**data, **specials}, field=construct.field)
        return written.replace(liquid.SEPARATOR, "")

    used = liquid.parse(f"{{{{ {construct.inner} }}}}", field="", html=html).analyze(include_partials=False)
    same_for_all = bool(used.globals) and used.globals.keys() <= set(_SHARED) and "date" not in used.filters
    return Computed(_remembered(through_liquid) if same_for_all else through_liquid)


def roots_of(construct: Construct) -> frozenset[str]:
    """The first names of everything that `construct` reads, such as "contact"."""
    used = liquid.parse(f"{{{{ {construct.inner} }}}}", field="", html=True).analyze(include_partials=False)
    return frozenset(used.variables)


def _remembered(of: Callable[[Data, Specials], str]) -> Callable[[Data, Specials], str]:
    """`of`, worked out anew only when what it depends on differs from the last time: the organisation hardly does."""
    last: tuple[list[object], str] | None = None

    def remembered(data: Data, specials: Specials) -> str:
        nonlocal last
        given = [data.get(root) for root in _SHARED]
        known = last
        if known is None or known[0] != given:
            last = known = (given, of(data, specials))
        return known[1]

    return remembered


def safe_special(place: Place) -> Place:
    """Where an address of ours stands: it is whole and may go as it is, escaped for HTML."""
    return {Place.URL: Place.ATTRIBUTE, Place.TEXT_URL: Place.TEXT}.get(place, place)


def _special(name: str, place: Place) -> Plain:
    safe = safe_special(place)
    return Plain((name,), (safe, None), ESCAPES[safe], "")


def _expression(inner: str, html: bool) -> tuple[list[str], str | None] | None:
    """Path and default of `a.b.c | default: "…"`; None for anything else."""
    nodes = liquid.parse(f"{{{{ {inner} }}}}", field="", html=html).nodes
    if len(nodes) != 1 or not isinstance(nodes[0], OutputNode):
        return None
    expression = nodes[0].expression
    if not isinstance(expression, FilteredExpression) or not isinstance(expression.left, Path):
        return None
    path = expression.left.path
    if not all(isinstance(part, str) for part in path) or path[-1] in _SHAPES:
        return None
    if not expression.filters:
        return [str(part) for part in path], None
    only = expression.filters[0]
    if len(expression.filters) > 1 or only.name != "default" or len(only.args) != 1:
        return None
    argument = only.args[0]
    if not isinstance(argument, PositionalArgument) or not isinstance(argument.value, StringLiteral):
        return None
    return [str(part) for part in path], str(argument.value.value)


def _straight(path: list[str], default: str | None, place: Place, html: bool) -> Plain:
    escape = ESCAPES[place]
    otherwise = escape((Markup(default) if html else default) if default is not None else "")  # noqa: S704  the author's
    return Plain(tuple(path), (place, default), escape, otherwise)
