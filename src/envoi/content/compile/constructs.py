"""Liquid taken out of a text and put in its place again.

Each `{{ … }}` and `{% … %}` becomes one character of a private plane, which HTML parsers, CSS inliners and text
converters carry along unharmed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from envoi.content import liquid
from envoi.content.escaping import Place
from envoi.content.problems import Problem

FIRST = 0xF0000
LAST = 0xFFFFD
MARKER = re.compile("[\U000f0000-\U0010ffff]")

_LIQUID = re.compile(
    r"""(?P<rawopen>\{%(?P<ro1>-?)\s*raw\s*(?P<ro2>-?)%\})(?P<raw>.*?)\{%(?P<rc1>-?)\s*endraw\s*(?P<rc2>-?)%\}
      | (?P<comment>\{%(?P<co>-?)\s*comment\b.*?\{%-?\s*endcomment\s*(?P<cc>-?)%\})
      | \{%(?P<no>-?)\s*(?P<note>\#)(?:.*?)(?P<nc>-?)%\}
      | \{\{(?P<oo>-?)(?P<output>.*?)(?P<oc>-?)\}\}
      | \{%(?P<to>-?)(?P<tag>.*?)(?P<tc>-?)%\}""",
    re.DOTALL | re.VERBOSE,
)
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\U000f0000-\U0010ffff\ud800-\udfff]")


class Kind(Enum):
    """What a marker stands for."""

    OUTPUT = auto()  # {{ … }}
    TAG = auto()  # {% … %}
    LITERAL = auto()  # the inside of {% raw %}
    EDGE = auto()  # nothing: where the content begins or ends in its layout
    SPECIAL = auto()  # an address of this delivery, by its name


@dataclass(frozen=True, slots=True)
class Construct:
    """A piece of Liquid: its inside and where it was written."""

    kind: Kind
    inner: str
    field: str
    line: int
    captured: bool = False

    @property
    def is_edge(self) -> bool:
        """Whether this marks the beginning or end of the content in its layout."""
        return self.kind is Kind.EDGE

    def problem(self, message: str) -> Problem:
        """A fault of this piece."""
        return Problem(self.field, self.line, message)


@dataclass(frozen=True, slots=True)
class Hole:
    """A marker in a message with the place it stands at."""

    marker: str
    place: Place


Run = str | Hole


@dataclass(slots=True)
class Constructs:
    """All Liquid of one e-mail, by marker."""

    by_marker: dict[str, Construct] = field(default_factory=dict)

    def add(self, construct: Construct) -> str:
        """The marker of `construct`."""
        marker = chr(FIRST + len(self.by_marker))
        self.by_marker[marker] = construct
        return marker

    def special(self, name: str) -> str:
        """A marker for the special `name`."""
        return self.add(Construct(Kind.SPECIAL, name, "", 0))

    def __getitem__(self, marker: str) -> Construct:
        return self.by_marker[marker]

    def taken_out(self, source: str, field_name: str) -> str:
        """`source` with a marker for each piece of Liquid; comments and the blanks that `-` trims are gone."""
        source = _FORBIDDEN.sub("", source.replace("\r\n", "\n").replace("\r", "\n"))
        out: list[str] = []
        at, trim, captures = 0, False, 0
        for found in _LIQUID.finditer(source):
            before = source[at : found.start()]
            if trim:
                before = before.lstrip()
            opens = found["ro1"] or found["co"] or found["no"] or found["oo"] or found["to"]
            out.append(before.rstrip() if opens else before)
            trim = bool(found["rc2"] or found["cc"] or found["nc"] or found["oc"] or found["tc"])
            at = found.end()
            word = (found["tag"] or "").split(None, 1)[:1]
            captures += (word == ["capture"]) - (word == ["endcapture"])
            construct = self._of(found, field_name, liquid.line_of(source, found.start()), captures > 0)
            if construct is not None:
                out.append(self.add(construct))
        rest = source[at:]
        return "".join([*out, rest.lstrip() if trim else rest])

    def _of(self, found: re.Match[str], field_name: str, line: int, captured: bool) -> Construct | None:
        if found["raw"] is not None:
            return Construct(Kind.LITERAL, found["raw"], field_name, line)
        if found["comment"] is not None or found["note"] is not None:
            return None
        if found["output"] is not None:
            return Construct(Kind.OUTPUT, found["output"].strip(), field_name, line, captured)
        return Construct(Kind.TAG, found["tag"].strip(), field_name, line)

    def replaced(self, text: str, name: str, by: str) -> tuple[str, int]:
        """`text` with `by` where `{{ name }}` stood, and how often it stood there."""
        markers = [marker for marker in MARKER.findall(text) if self[marker].inner == name]
        for marker in set(markers):
            text = text.replace(marker, by)
        return text, len(markers)


def split(text: str, place: Callable[[int], Place]) -> Iterator[Run]:
    """`text` as runs; `place` says where a marker at a given offset stands."""
    at = 0
    for found in MARKER.finditer(text):
        if found.start() > at:
            yield text[at : found.start()]
        yield Hole(found.group(), place(found.start()))
        at = found.end()
    if at < len(text):
        yield text[at:]
