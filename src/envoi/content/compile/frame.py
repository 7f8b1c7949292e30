"""A whole message as one list: fixed bytes and holes by turns, filled and joined in one go.

Values come as one sequence, whose order a `Layout` tells. A value that several holes show in the same way is written
once; short words are remembered, since many people are called Anna and many live in London.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from operator import itemgetter
from typing import Any, TypeVar

from envoi.content import escaping, headers, mime
from envoi.content.compile.flow import Flow
from envoi.content.compile.parts import Part
from envoi.content.compile.routes import Data, Route, Specials
from envoi.content.compile.slots import Computed, Plain, Slot
from envoi.content.escaping import Place

Values = Sequence[Any]
Layout = Mapping[Route, int]
"""Which of the values each route leads to; tokens of addresses (bytes there) have routes of one name."""
About = Callable[[], tuple[Data, Specials]]
Written = Callable[[Values, About], bytes]
T = TypeVar("T")

MOST = 2_000
LONGEST = 60
# What every place of these and quoted-printable leave as it is.
_SIMPLE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 @.+_-]{0,60}[A-Za-z0-9])?").fullmatch
_AS_IT_IS = frozenset({Place.HTML, Place.ATTRIBUTE, Place.TEXT})
_PLAIN, _BARE, _OTHERS = range(3)


class Lines(dict[object, bytes]):
    """What becomes of the values of one merge tag in one place; only short texts are kept, and not too many."""

    def __init__(self, write: Callable[[Any], bytes], *, plain: bool = False) -> None:
        """Args:
        plain: simple words need nothing but their soft break.
        """
        super().__init__()
        self.fresh = write
        self._plain = plain

    def __missing__(self, value: str) -> bytes:
        line = value.encode("ascii") + mime.SOFT_BREAK if self._plain and _SIMPLE(value) else self.fresh(value)
        # What many share comes soon. Of what is each person's own, such as a number, nothing is gained by keeping more.
        if len(self) < MOST and len(value) <= LONGEST and "@" not in value:
            self[value] = line
        return line


class Frame:
    """Of one skeleton and one layout."""

    def __init__(self, subject: Part, text: Part, html: Part, layout: Layout, tokens: frozenset[str]) -> None:
        """Prepare it.

        Args:
            tokens: names of the tokens of addresses.
        """
        self._layout, self._tokens = layout, tokens
        self._fixed: list[bytes] = [b""]
        self._kept: dict[object, Lines] = {}
        self._known: dict[tuple[object, int], tuple[int, int]] = {}
        # What is worked out for each message, by kind; a hole is a kind and the place among these.
        self._plain: list[tuple[Lines, int]] = []
        self._bare: list[int] = []
        self._others: list[Written] = []
        holes: list[tuple[int, int]] = [
            *self._subject(subject),
            *self._body(mime.HEADERS + b"\r\n", "plain", text),
            *self._body(b"\r\n", "html", html),
        ]
        self._fixed[-1] += mime.CLOSING
        self._pieces = [b""] * (2 * len(holes) + 1)
        self._pieces[::2] = self._fixed
        starts = list(accumulate((len(self._plain), len(self._bare)), initial=0))
        order = [starts[kind] + place for kind, place in holes]
        self._placed: Callable[[list[bytes]], Sequence[bytes]] = (
            itemgetter(*order) if len(order) > 1 else lambda lines: [lines[at] for at in order]
        )

    def join(self, head: Sequence[bytes], values: Values, about: About) -> bytes:
        """The message.

        Args:
            head: complete headers but Subject and those of MIME.
            values: as the layout says.
            about: asked for person and specials if Liquid has to work something out.

        Raises:
            ContentError: a filter cannot work on this person's data.
        """
        lines = [kept[value] if type(value := values[at]) is str else kept.fresh(value) for kept, at in self._plain]
        lines += [values[at] for at in self._bare]
        lines += [write(values, about) for write in self._others]
        pieces = self._pieces.copy()
        pieces[1::2] = self._placed(lines)
        return b"".join((*head, *pieces))

    def _subject(self, part: Part) -> Iterator[tuple[int, int]]:
        kept = Lines(lambda words: headers.unstructured("Subject", one_line(words)))
        if part.is_fixed:
            self._fixed[-1] += kept.fresh(part.text({}, {}))
            return
        whole = self._all_of(
            part, lambda runs: kept["".join(runs)], lambda data, specials: kept[part.text(data, specials)]
        )
        yield _OTHERS, _put(self._others, whole)
        self._fixed.append(b"")

    def _body(self, before: bytes, kind: str, part: Part) -> Iterator[tuple[int, int]]:
        self._fixed[-1] += before + mime.opening(base64=part.base64, kind=kind)
        if part.base64:
            yield _OTHERS, _put(self._others, self._all_of(part, mime.base64_joined, part.encoded))
            self._fixed.append(b"")
            return
        if part.flow is not None:
            yield _OTHERS, _put(self._others, self._shaped(part.flow, part.slots))
            self._fixed.append(b"")
            return
        for number, fixed in enumerate(part.fixed):
            self._fixed[-1] += mime.quoted_printable(fixed)
            if number < len(part.order):
                self._fixed[-1] += mime.SOFT_BREAK
                yield self._hole(part.slots[part.order[number]])

    def _hole(self, slot: Slot) -> tuple[int, int]:
        """A hole for the line of one value; what follows it goes into the next piece."""
        self._fixed.append(b"")
        at = self._at(slot)
        if not isinstance(slot, Plain) or at is None:
            return _OTHERS, _put(self._others, self._line_of(slot))
        if slot.route[0] in self._tokens:
            self._fixed[-1] += mime.SOFT_BREAK
        key = (slot.way, at)
        if key not in self._known:
            bare = slot.route[0] in self._tokens
            self._known[key] = (
                (_BARE, _put(self._bare, at)) if bare else (_PLAIN, _put(self._plain, (self._lines(slot), at)))
            )
        return self._known[key]

    def _at(self, slot: Slot) -> int | None:
        return self._layout.get(slot.route) if isinstance(slot, Plain) else None

    def _lines(self, slot: Plain) -> Lines:
        key = (slot.way, slot.route)
        if key not in self._kept:
            words = slot.words
            self._kept[key] = Lines(lambda value: mime.value_line(words(value)), plain=slot.way[0] in _AS_IT_IS)
        return self._kept[key]

    def _line_of(self, slot: Slot) -> Written:
        """What gives the line of `slot` where there is no hole for it alone."""
        if isinstance(slot, Computed):
            return self._computed(slot)
        at = self._at(slot)
        if at is None:
            return lambda _values, about: mime.value_line(slot.of(*about()))
        if slot.route[0] in self._tokens:
            return lambda values, _about: values[at] + mime.SOFT_BREAK
        kept = self._lines(slot)
        return lambda values, _about: kept[value] if type(value := values[at]) is str else kept.fresh(value)

    def _computed(self, slot: Computed) -> Written:
        known = self._places(slot.routes)
        if known is None:
            return lambda _values, about: mime.value_line(slot.of(*about()))
        return lambda values, about: mime.value_line(slot.of_values([values[at] for at in known], about))

    def _places(self, routes: Sequence[Route] | None) -> list[int] | None:
        """Where the values of `routes` stand; None when the layout lacks one."""
        if routes is None or any(route not in self._layout for route in routes):
            return None
        return [self._layout[route] for route in routes]

    def _shaped(self, flow: Flow, slots: Sequence[Slot]) -> Written:
        """What writes a part with conditions or loops."""
        lines = [self._line_of(slot) for slot in slots]
        known = self._places(flow.routes)

        def shaped(values: Values, about: About) -> bytes:
            shape = flow.shape_of([values[at] for at in known], about) if known is not None else flow.shape(*about())
            return shape.filled({number: lines[number](values, about) for number in shape.numbers})

        return shaped

    def _all_of(
        self, part: Part, written: Callable[[list[str]], bytes], alone: Callable[[Data, Specials], bytes]
    ) -> Written:
        """What writes all of `part` in one go, from its runs; `alone` where Liquid has a hand in it."""
        slots = [(slot, at) for slot in part.slots if isinstance(slot, Plain) and (at := self._at(slot)) is not None]
        if part.flow is not None or len(slots) < len(part.slots):
            return lambda _values, about: alone(*about())
        shows = [(_of_token if slot.route[0] in self._tokens else slot.words, at) for slot, at in slots]
        return lambda values, _about: written(part.runs([words(values[at]) for words, at in shows]))


def _of_token(value: bytes) -> str:
    return value.decode("ascii")


def _put(group: list[T], entry: T) -> int:
    """Put `entry` at the end of `group`; its place there."""
    group.append(entry)
    return len(group) - 1


def one_line(subject: str) -> str:
    """A subject as it stands in its header."""
    return subject if escaping.is_tidy(subject) else escaping.at_header(subject).strip()
