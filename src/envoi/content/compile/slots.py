"""Values of merge tags: straight to the data where the tag is plain, else by Liquid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from liquid.builtin.expressions import FilteredExpression, Path, PositionalArgument, StringLiteral
from liquid.builtin.output import OutputNode
from markupsafe import Markup

from envoi.content import liquid
from envoi.content.compile.constructs import Construct, Kind
from envoi.content.compile.reads import Reads
from envoi.content.compile.routes import MISSING, Data, Route, Specials, found
from envoi.content.escaping import ESCAPES, Place
from envoi.content.merge_tags import SPECIALS

HTML_PLACES = frozenset({Place.HTML, Place.ATTRIBUTE, Place.URL, Place.URL_PART, Place.CSS})
_SHAPES = frozenset({"size", "first", "last"})  # Liquid answers these of any list or text
_MOST = 1_000


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


class Computed:
    """A merge tag that Liquid works out, once for all who have the same values.

    Attributes:
        routes: what it reads; None when every person's must be worked out anew.
    """

    def __init__(self, construct: Construct, place: Place, *, html: bool) -> None:
        source = f"{{{{ {construct.inner} | {place.value} }}}}"
        self._template = liquid.parse(source, field=construct.field, html=html, ours=True)
        self._reads = Reads(self._template, source)
        own = any(route[0] in SPECIALS for route in self._reads.routes or ())
        self.routes = None if own else self._reads.routes
        self._field = construct.field
        self._kept: dict[object, str] = {}

    def of(self, data: Data, specials: Specials) -> str:
        """The words for one person."""
        if self.routes is None:
            return self._made(data, specials)
        return self.of_values([found(route, data, specials) for route in self.routes], lambda: (data, specials))

    def of_values(self, values: Sequence[object], about: Callable[[], tuple[Data, Specials]]) -> str:
        """The words for somebody with `values` at `routes`; `about` is asked when nobody had these before."""
        key = self._reads.key(values)
        words = self._kept.get(key)
        if words is None:
            words = self._made(*about())
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[key] = words
        return words

    def _made(self, data: Data, specials: Specials) -> str:
        return liquid.render(self._template, {**data, **specials}, field=self._field).replace(liquid.SEPARATOR, "")


Slot = Plain | Computed


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
    return Computed(construct, place, html=html)


def roots_of(construct: Construct) -> frozenset[str]:
    """The first names of everything that `construct` reads, such as "contact"."""
    used = liquid.parse(f"{{{{ {construct.inner} }}}}", field="", html=True).analyze(include_partials=False)
    return frozenset(used.variables)


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
