"""What a Liquid template reads of a person, as a key: whoever has the same key gets the same output.

Of a text that is only asked whether it is there, or compared with fixed words, the key holds no more than the answers
can depend on. Anything else it holds as it is. A template that reads what cannot be told beforehand has no keys.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence

from liquid import BoundTemplate
from liquid.static_analysis import Variable

from envoi.content.compile.routes import MISSING, ROOTS, Route
from envoi.content.merge_tags import SPECIALS

_PATH = r"[A-Za-z_][\w-]*(?:\.[\w-]+)+"
_WORD = r"""(?:"[^"]*"|'[^']*'|-?\d+(?:\.\d+)?|(?:true|false|nil|null|empty|blank)(?![\w.-]))"""
_TERM = rf"{_PATH}(?:\s*(?:==|!=|<>)\s*{_WORD})?"
_CONDITION = re.compile(rf"{_TERM}(?:\s+(?:and|or)\s+{_TERM})*")
_ONE_PATH = re.compile(_PATH)
_ONE_TERM = re.compile(rf"({_PATH})(?:\s*(?:==|!=|<>)\s*{_WORD})?")
_WORDS = re.compile(rf"{_WORD}(?:(?:\s*,\s*|\s+or\s+){_WORD})*")
_TAG = re.compile(r"\{% (if|elsif|unless|case|when)\s+(.*?)\s*%\}", re.DOTALL)
_QUOTED = re.compile(r""""([^"]*)"|'([^']*)'""")
_OTHER = object()


class Reads:
    """Of one template.

    Attributes:
        routes: what it reads; None when that cannot be told.
    """

    def __init__(self, template: BoundTemplate, source: str) -> None:
        used = template.analyze(include_partials=False)
        read: Counter[Route] = Counter()
        self.routes: list[Route] | None = None
        for variables in used.variables.values():
            for variable in variables:
                route = _route(variable)
                if route is None:
                    return
                read[route] += 1
        tags = [] if "{% raw %}" in source else _TAG.findall(source)
        asked = Counter(_asked(tags))
        self.routes = [route for route in read if route]
        self._as_it_is = [read[route] > asked[route] for route in self.routes]
        self._words = frozenset(one or other for _kind, inside in tags for one, other in _QUOTED.findall(inside))
        self._by_the_second = "date" in used.filters

    def key(self, values: Sequence[object]) -> tuple[object, ...]:
        """The key of somebody with `values` at the routes."""
        key = [self._part(value, as_it_is) for value, as_it_is in zip(values, self._as_it_is, strict=True)]
        if self._by_the_second:
            key.append(int(time.time()))
        return tuple(key)

    def _part(self, value: object, as_it_is: bool) -> object:
        if type(value) is str:
            return value if as_it_is or value in self._words or not value.strip() else _OTHER
        return value if value is MISSING or value is None else (type(value), repr(value))


def _route(variable: Variable) -> Route | None:
    """Where the value stands that `variable` needs; () for a name of the template's own; None when it varies."""
    root = str(variable.segments[0])
    if root not in ROOTS:
        return ()
    if root in SPECIALS:
        return (root,)
    length = 3 if variable.segments[1:2] == ["fields"] else 2
    route = variable.segments[:length]
    if len(route) < length or not all(isinstance(segment, str) for segment in variable.segments):
        return None
    return tuple(map(str, route))


def _asked(tags: list[tuple[str, str]]) -> list[Route]:
    """The routes in conditions that only ask whether something is there or equals fixed words, each time."""
    fixed_cases = all(_WORDS.fullmatch(inside) for kind, inside in tags if kind == "when")
    found: list[str] = []
    for kind, inside in tags:
        if kind == "case" and fixed_cases and _ONE_PATH.fullmatch(inside):
            found.append(inside)
        elif kind not in ("case", "when") and _CONDITION.fullmatch(inside):
            found += _ONE_TERM.findall(inside)
    return [tuple(path.split(".")) for path in found]
