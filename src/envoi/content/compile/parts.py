"""One part of a message (subject, HTML, plain text): fixed stretches prepared once, holes filled for each person.

Without control flow the holes are filled directly. With it, the part is one Liquid template that marks where its values
begin and end, so that the very same encoding follows: both ways give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from liquid import BoundTemplate

from envoi.content import liquid, mime
from envoi.content.compile.constructs import Constructs, Hole, Kind, Run
from envoi.content.compile.slots import ROOTS, Data, Slot, Specials, roots_of, safe_special, slot
from envoi.content.merge_tags import SPECIALS

_NUMBER = "\x1d"  # before the number of a slot; values hold no controls
_DEFINES = re.compile(r"(?:for|assign|capture)\s+([\w-]+)")
_BRACE = re.compile(r"\{(?=[{%])|\{\Z")
_quoted_printable = lru_cache(maxsize=512)(mime.quoted_printable)


class Part:
    """A text with holes."""

    def __init__(self, runs: Iterable[Run], constructs: Constructs, *, html: bool, flow: bool = False) -> None:
        """Prepare `runs`.

        Args:
            flow: go through one Liquid template even without control flow. For tests of the promise above.

        Raises:
            ContentError: the pieces of Liquid do not fit together.
        """
        self._fixed: list[str] = [""]
        self._slots: list[Slot] = []
        self._order: list[int] = []  # which slot stands after each fixed stretch but the last
        self._template: BoundTemplate | None = None
        runs = [run for run in runs if isinstance(run, str) or not constructs[run.marker].is_edge]
        holes = [run for run in runs if not isinstance(run, str)]
        if flow or any(constructs[hole.marker].kind is Kind.TAG for hole in holes):
            field = "body" if html else "text"
            plain = {} if flow else self._plain_holes(holes, constructs)
            self._template = liquid.parse(_source(runs, constructs, plain), field=field, html=html, ours=True)
        else:
            self._prepare(runs, constructs)
        self.base64 = mime.prefers_base64("".join(run for run in runs if isinstance(run, str)))
        self._frame = self._encoded_frame()

    @property
    def is_fixed(self) -> bool:
        """Whether it is the same for everybody."""
        return self._template is None and not self._slots

    def _prepare(self, runs: list[Run], constructs: Constructs) -> None:
        known: dict[tuple[str, str], int] = {}
        for run in runs:
            if isinstance(run, str):
                self._fixed[-1] += run
                continue
            construct = constructs[run.marker]
            if construct.kind is Kind.LITERAL:
                self._fixed[-1] += construct.inner
                continue
            key = (construct.inner, run.place)
            if key not in known:
                known[key] = len(self._slots)
                self._slots.append(slot(construct, run.place))
            self._order.append(known[key])
            self._fixed.append("")

    def _plain_holes(self, holes: list[Hole], constructs: Constructs) -> dict[Hole, int]:
        """Holes that need no Liquid even beside conditions and loops, with their slots: none names a local variable."""
        tags = [construct.inner for construct in constructs.by_marker.values() if construct.kind is Kind.TAG]
        local = {found[1] for inner in tags if (found := _DEFINES.match(inner))}
        known: dict[Hole, int] = {}
        for hole in holes:
            construct = constructs[hole.marker]
            if hole in known or construct.kind not in (Kind.OUTPUT, Kind.SPECIAL) or construct.captured:
                continue
            if construct.kind is Kind.SPECIAL or roots_of(construct) <= ROOTS - local:
                known[hole] = len(self._slots)
                self._slots.append(slot(construct, hole.place))
        return known

    def _encoded_frame(self) -> list[bytes]:
        if self._template is not None or self.base64:
            return []
        frame: list[bytes] = []
        for index, text in enumerate(self._fixed):
            last = index == len(self._fixed) - 1
            frame += [mime.quoted_printable(text)] if last else [mime.quoted_printable(text) + mime.SOFT_BREAK, b""]
        return frame

    def text(self, data: Data, specials: Specials) -> str:
        """The finished text for one person."""
        return "".join(self._runs(data, specials))

    def encoded(self, data: Data, specials: Specials) -> bytes:
        """The finished text as a body on the wire.

        Raises:
            ContentError: it cannot be rendered for this person.
        """
        if self._frame:
            body = self._frame.copy()
            line = mime.value_line
            lines = [line(slot(data, specials)) for slot in self._slots]
            body[1::2] = [lines[which] for which in self._order]
            return b"".join(body)
        runs = self._runs(data, specials)
        if self.base64:
            return mime.base64_lines("".join(runs))
        pieces = [_quoted_printable(runs[0])]
        for at in range(1, len(runs) - 1, 2):
            pieces += [mime.SOFT_BREAK, mime.value_line(runs[at]), _quoted_printable(runs[at + 1])]
        return b"".join(pieces)

    def _runs(self, data: Data, specials: Specials) -> list[str]:
        if self._template is not None:
            written = liquid.render(self._template, {**data, **specials}, field="body")
            return self._filled(written.split(liquid.SEPARATOR), data, specials)
        values = [slot(data, specials) for slot in self._slots]
        runs = [""] * (2 * len(self._order) + 1)
        runs[::2] = self._fixed
        runs[1::2] = [values[which] for which in self._order]
        return runs

    def _filled(self, runs: list[str], data: Data, specials: Specials) -> list[str]:
        known: dict[str, str] = {}
        for at in range(1, len(runs) - 1, 2):
            run = runs[at]
            if run[:1] == _NUMBER:
                if run not in known:  # not before: what a condition hides may have no value
                    known[run] = self._slots[int(run[1:])](data, specials)
                runs[at] = known[run]
        return runs


def _source(runs: list[Run], constructs: Constructs, plain: dict[Hole, int]) -> str:
    """The Liquid template of `runs`: every value ends in the filter of its place; other words stay words.

    Holes of `plain` become the number of their slot, to be filled afterwards.
    """
    out = []
    for run in runs:
        if isinstance(run, str):
            out.append(_BRACE.sub("{{ '{' }}", run))
            continue
        construct = constructs[run.marker]
        place = run.place
        if run in plain:
            out.append(f"{liquid.SEPARATOR}{_NUMBER}{plain[run]}{liquid.SEPARATOR}")
        elif construct.kind is Kind.LITERAL:
            out.append(f"{{% raw %}}{construct.inner}{{% endraw %}}")
        elif construct.kind is Kind.TAG:
            out.append(f"{{% {construct.inner} %}}")
        elif construct.captured:
            out.append(f"{{{{ {construct.inner} }}}}")
        else:
            if construct.kind is Kind.SPECIAL or construct.inner in SPECIALS:
                place = safe_special(place)
            out.append(f"{{{{ {construct.inner} | {place.value} }}}}")
    return "".join(out)
