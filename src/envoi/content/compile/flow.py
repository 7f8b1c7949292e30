"""A part with conditions or loops: rendered by Liquid once for all whom its conditions treat alike.

Guarantee: the bytes are those of rendering it for each person. What the template reads is known (`reads.py`); two
people who agree in that get the same *shape*, in which the plain holes are filled for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from envoi.content import liquid, mime
from envoi.content.compile.reads import Reads
from envoi.content.compile.slots import Data, Slot, Specials

MOST_SHAPES: Final = 200
MOST_CHARACTERS: Final = 4_000_000
_quoted_printable = lru_cache(maxsize=512)(mime.quoted_printable)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What Liquid made of the template for some: words and, between them, values or numbers of slots."""

    runs: list[str]
    pieces: list[bytes]  # `runs` in quoted-printable; empty in base64 and where a slot is to be filled in
    holes: list[tuple[int, int]]  # place in `runs`, number of its slot


class Flow:
    """One Liquid template; `slots` are the plain holes, which stand in it as numbers."""

    def __init__(self, source: str, slots: Sequence[Slot], *, html: bool, base64: bool) -> None:
        """Raises:
        ContentError: the pieces of Liquid do not fit together.
        """
        self._template = liquid.parse(source, field="body" if html else "text", html=html, ours=True)
        self._reads = Reads(source, html=html)
        self._slots, self._base64 = slots, base64
        self._shapes: dict[object, _Shape] = {}
        self._kept = 0

    def text(self, data: Data, specials: Specials) -> str:
        """The finished text for one person."""
        shape = self._shape(data, specials)
        runs = shape.runs.copy()
        words = self._words(shape, data, specials)
        for at, number in shape.holes:
            runs[at] = words[number]
        return "".join(runs)

    def encoded(self, data: Data, specials: Specials) -> bytes:
        """The finished text as a body on the wire."""
        if self._base64:
            return mime.base64_lines(self.text(data, specials))
        shape = self._shape(data, specials)
        pieces = shape.pieces.copy()
        lines = {number: mime.value_line(words) for number, words in self._words(shape, data, specials).items()}
        for at, number in shape.holes:
            pieces[at] = lines[number]
        return b"".join(pieces)

    def _words(self, shape: _Shape, data: Data, specials: Specials) -> dict[int, str]:
        # Not those of other shapes: what a condition hides may have no value.
        return {number: self._slots[number].of(data, specials) for number in {number for _at, number in shape.holes}}

    def _shape(self, data: Data, specials: Specials) -> _Shape:
        key = self._reads.key(data)
        known = self._shapes.get(key) if key is not None else None
        if known is not None:
            return known
        shape = self._made(liquid.render(self._template, {**data, **specials}, field="body"))
        if key is not None:
            self._keep(key, shape)
        return shape

    def _keep(self, key: object, shape: _Shape) -> None:
        length = sum(map(len, shape.runs))
        self._kept += length
        if len(self._shapes) >= MOST_SHAPES or self._kept > MOST_CHARACTERS:
            self._shapes.clear()
            self._kept = length
        self._shapes[key] = shape

    def _made(self, written: str) -> _Shape:
        runs = written.split(liquid.SEPARATOR)
        holes = [(at, int(runs[at][1:])) for at in range(1, len(runs) - 1, 2) if runs[at].startswith(liquid.NUMBER)]
        pieces: list[bytes] = []
        if not self._base64:
            numbers = dict(holes)
            for at, run in enumerate(runs):
                if at % 2:
                    pieces.append(b"" if at in numbers else mime.value_line(run))
                else:
                    last = at == len(runs) - 1
                    pieces.append(_quoted_printable(run) + (b"" if last else mime.SOFT_BREAK))
        return _Shape(runs, pieces, holes)
