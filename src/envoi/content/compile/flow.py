"""A part with conditions or loops: rendered by Liquid once for all whom its conditions treat alike.

Guarantee: the bytes are those of rendering it for each person. What the template reads is known (`reads.py`); two
people who agree in that get the same *shape*, in which the plain holes are filled for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from envoi.content import liquid, mime
from envoi.content.compile.reads import Reads
from envoi.content.compile.routes import Data, Specials, found
from envoi.content.compile.slots import Slot

MOST_SHAPES: Final = 200
MOST_CHARACTERS: Final = 4_000_000
_quoted_printable = lru_cache(maxsize=512)(mime.quoted_printable)


@dataclass(frozen=True, slots=True)
class Shape:
    """What Liquid made of the template for some: words and, between them, values or numbers of slots.

    Attributes:
        fixed: in quoted-printable, what stands around the slots; empty in base64.
        order: which slot stands after each of `fixed` but the last.
        numbers: of the slots that it shows, each once.
    """

    runs: list[str]
    holes: list[tuple[int, int]]  # place in `runs`, number of its slot
    fixed: list[bytes]
    order: list[int]
    numbers: list[int]

    def filled(self, lines: Mapping[int, bytes]) -> bytes:
        """The body with the lines of its slots, each with its soft break."""
        pieces = [b""] * (2 * len(self.order) + 1)
        pieces[::2] = self.fixed
        pieces[1::2] = [lines[number] for number in self.order]
        return b"".join(pieces)


class Flow:
    """One Liquid template; `slots` are the plain holes, which stand in it as numbers.

    Attributes:
        routes: what the template reads of a person; None when that cannot be told.
    """

    def __init__(self, source: str, slots: Sequence[Slot], *, html: bool, base64: bool) -> None:
        """Raises:
        ContentError: the pieces of Liquid do not fit together.
        """
        self._template = liquid.parse(source, field="body" if html else "text", html=html, ours=True)
        self._reads = Reads(self._template, source)
        self.routes = self._reads.routes
        self._slots, self._base64 = slots, base64
        self._shapes: dict[object, Shape] = {}
        self._kept = 0

    def text(self, data: Data, specials: Specials) -> str:
        """The finished text for one person."""
        return "".join(self._runs(data, specials))

    def _runs(self, data: Data, specials: Specials) -> list[str]:
        shape = self.shape(data, specials)
        runs = shape.runs.copy()
        words = self._words(shape, data, specials)
        for at, number in shape.holes:
            runs[at] = words[number]
        return runs

    def encoded(self, data: Data, specials: Specials) -> bytes:
        """The finished text as a body on the wire."""
        if self._base64:
            return mime.base64_joined(self._runs(data, specials))
        shape = self.shape(data, specials)
        lines = {number: mime.value_line(words) for number, words in self._words(shape, data, specials).items()}
        return shape.filled(lines)

    def shape(self, data: Data, specials: Specials) -> Shape:
        """What this person gets but for the plain holes.

        Raises:
            ContentError: it cannot be rendered for this person.
        """
        if self.routes is None:
            return self._made(data, specials)
        return self.shape_of([found(route, data, specials) for route in self.routes], lambda: (data, specials))

    def shape_of(self, values: Sequence[object], about: Callable[[], tuple[Data, Specials]]) -> Shape:
        """The same for somebody with `values` at `routes`; `about` is only asked when there is no such shape yet."""
        key = self._reads.key(values)
        known = self._shapes.get(key)
        if known is None:
            known = self._made(*about())
            self._keep(key, known)
        return known

    def _words(self, shape: Shape, data: Data, specials: Specials) -> dict[int, str]:
        # Not those of other shapes: what a condition hides may have no value.
        return {number: self._slots[number].of(data, specials) for number in shape.numbers}

    def _keep(self, key: object, shape: Shape) -> None:
        length = sum(map(len, shape.runs))
        self._kept += length
        if len(self._shapes) >= MOST_SHAPES or self._kept > MOST_CHARACTERS:
            self._shapes.clear()
            self._kept = length
        self._shapes[key] = shape

    def _made(self, data: Data, specials: Specials) -> Shape:
        runs = liquid.render(self._template, {**data, **specials}, field="body").split(liquid.SEPARATOR)
        holes = [(at, int(runs[at][1:])) for at in range(1, len(runs) - 1, 2) if runs[at].startswith(liquid.NUMBER)]
        fixed: list[bytes] = [] if self._base64 else _fixed(runs, {at for at, _number in holes})
        order = [number for _at, number in holes]
        return Shape(runs, holes, fixed, order, list(dict.fromkeys(order)))


def _fixed(runs: list[str], holes: set[int]) -> list[bytes]:
    fixed = [b""]
    for at, run in enumerate(runs):
        if at in holes:
            fixed.append(b"")
        elif at % 2:
            fixed[-1] += mime.value_line(run)
        else:
            fixed[-1] += _quoted_printable(run) + (b"" if at == len(runs) - 1 else mime.SOFT_BREAK)
    return fixed
