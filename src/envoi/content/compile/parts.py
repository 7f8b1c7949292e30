"""One part of a message (subject, HTML, plain text): fixed stretches prepared once, holes filled for each person.

Without control flow the holes are filled directly. With it, the part is one Liquid template that marks where its values
begin and end, so that the very same encoding follows: both ways give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from envoi.content import liquid, mime
from envoi.content.compile.constructs import Construct, Constructs, Hole, Kind, Run
from envoi.content.compile.flow import Flow
from envoi.content.compile.routes import ROOTS, Data, Specials
from envoi.content.compile.slots import Slot, roots_of, safe_special, slot
from envoi.content.compile.source import Address
from envoi.content.escaping import ESCAPES, Place
from envoi.content.merge_tags import SPECIALS

_DEFINES = re.compile(r"(?:for|assign|capture)\s+([\w-]+)")
_BRACE = re.compile(r"\{(?=[{%])|\{\Z")


class Part:
    """A text with holes.

    Attributes:
        base64: how it is encoded; else it is quoted-printable.
        fixed, order, slots: of a part without control flow, its fixed stretches and which slot stands after each but
            the last.
        flow: of a part with control flow; its slots are those that need no Liquid.
    """

    def __init__(
        self,
        runs: Iterable[Run],
        constructs: Constructs,
        *,
        html: bool,
        flow: bool = False,
        addresses: Mapping[str, Address] | None = None,
    ) -> None:
        """Prepare `runs`.

        Args:
            flow: go through one Liquid template even without control flow. For tests of the promise above.
            addresses: of specials that are the same for everybody but for a token.

        Raises:
            ContentError: the pieces of Liquid do not fit together.
        """
        self.fixed: list[str] = [""]
        self.slots: list[Slot] = []
        self.order: list[int] = []
        self.flow: Flow | None = None
        # “&#13;” becomes a bare CR when HTML is read: it would end the line, and with it what a server reads as one.
        runs = [
            run.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "") if isinstance(run, str) else run
            for run in runs
            if isinstance(run, str) or not constructs[run.marker].is_edge
        ]
        self.base64 = mime.prefers_base64("".join(run for run in runs if isinstance(run, str)))
        local = _local_names(constructs)
        if addresses:
            runs = list(_addressed(runs, constructs, addresses, local))
        holes = [run for run in runs if not isinstance(run, str)]
        if flow or any(constructs[hole.marker].kind is Kind.TAG for hole in holes):
            plain = {} if flow else self._plain_holes(holes, constructs, local)
            source = _source(runs, constructs, plain)
            self.flow = Flow(source, self.slots, html=html, base64=self.base64)
        else:
            self._prepare(runs, constructs)

    @property
    def is_fixed(self) -> bool:
        """Whether it is the same for everybody."""
        return self.flow is None and not self.slots

    def _prepare(self, runs: list[Run], constructs: Constructs) -> None:
        known: dict[tuple[str, str], int] = {}
        for run in runs:
            if isinstance(run, str):
                self.fixed[-1] += run
                continue
            construct = constructs[run.marker]
            if construct.kind is Kind.LITERAL:
                self.fixed[-1] += construct.inner
                continue
            key = (construct.inner, run.place)
            if key not in known:
                known[key] = len(self.slots)
                self.slots.append(slot(construct, run.place))
            self.order.append(known[key])
            self.fixed.append("")

    def _plain_holes(self, holes: list[Hole], constructs: Constructs, local: frozenset[str]) -> dict[Hole, int]:
        """Holes that need no Liquid even beside conditions and loops, with their slots: none names a local variable."""
        known: dict[Hole, int] = {}
        for hole in holes:
            construct = constructs[hole.marker]
            if hole in known or construct.kind not in (Kind.OUTPUT, Kind.SPECIAL) or construct.captured:
                continue
            if construct.kind is Kind.SPECIAL or roots_of(construct) <= ROOTS - local:
                known[hole] = len(self.slots)
                self.slots.append(slot(construct, hole.place))
        return known

    def text(self, data: Data, specials: Specials) -> str:
        """The finished text for one person."""
        if self.flow is not None:
            return self.flow.text(data, specials)
        return "".join(self.runs([slot.of(data, specials) for slot in self.slots]))

    def encoded(self, data: Data, specials: Specials) -> bytes:
        """The finished text as a body on the wire.

        Raises:
            ContentError: it cannot be rendered for this person.
        """
        if self.flow is not None:
            return self.flow.encoded(data, specials)
        return mime.joined(self.runs([slot.of(data, specials) for slot in self.slots]), base64=self.base64)

    def runs(self, words: Sequence[str]) -> list[str]:
        """Fixed stretches and, between them, the words of the slots."""
        runs = [""] * (2 * len(self.order) + 1)
        runs[::2] = self.fixed
        runs[1::2] = [words[which] for which in self.order]
        return runs


def _local_names(constructs: Constructs) -> frozenset[str]:
    """The names that the author's own tags define."""
    tags = [construct.inner for construct in constructs.by_marker.values() if construct.kind is Kind.TAG]
    return frozenset(defined[1] for inner in tags if (defined := _DEFINES.match(inner)))


def _addressed(
    runs: list[Run], constructs: Constructs, addresses: Mapping[str, Address], local: frozenset[str]
) -> Iterator[Run]:
    """`runs` where only the token of an address is a hole: what stands around it is the same for everybody.

    In a style, an address is filtered as a whole and stays one hole.
    """
    tokens: dict[str, str] = {}
    for run in runs:
        address = None if isinstance(run, str) else _address(constructs[run.marker], addresses, local)
        if isinstance(run, str) or address is None or run.place is Place.CSS:
            yield run
            continue
        place = safe_special(run.place)
        if address.token not in tokens:
            tokens[address.token] = constructs.special(address.token)
        yield ESCAPES[place](address.before)
        yield Hole(tokens[address.token], place)
        if address.after:
            yield ESCAPES[place](address.after)


def _address(construct: Construct, addresses: Mapping[str, Address], local: frozenset[str]) -> Address | None:
    is_ours = construct.kind is Kind.SPECIAL or (
        construct.kind is Kind.OUTPUT
        and not construct.captured
        and construct.inner in SPECIALS
        and construct.inner not in local
    )
    return addresses.get(construct.inner) if is_ours else None


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
            out.append(f"{liquid.SEPARATOR}{liquid.NUMBER}{plain[run]}{liquid.SEPARATOR}")
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
