"""A compiled e-mail: everything that is the same for all is done; what differs is filled in for each person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from envoi.content.compile.frame import Frame, Layout, one_line
from envoi.content.compile.parts import Part
from envoi.content.compile.routes import Data, Specials, found
from envoi.content.compile.slots import Plain
from envoi.content.compile.source import Address


@dataclass(frozen=True, slots=True)
class Link:
    """A link whose clicks are counted: `url` is a Liquid template when it holds merge tags."""

    position: int
    url: str
    label: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message for the eyes of one person: preview, web view."""

    subject: str
    html: str
    text: str


class Skeleton:
    """Fills in, for one person at a time. Preview, test and sending all use it.

    Attributes:
        variables: the merge tags in use, such as "contact.first_name", sorted.
        links: the links that can be tracked, in order.
        addresses: specials that are the same for everybody but for a token.
    """

    def __init__(
        self,
        subject: Part,
        html: Part,
        text: Part,
        variables: tuple[str, ...],
        links: tuple[Link, ...],
        addresses: Mapping[str, Address] | None = None,
    ) -> None:
        self.variables = variables
        self.links = links
        self.addresses = dict(addresses or {})
        self._subject, self._html, self._text = subject, html, text
        self._tokens = frozenset(address.token for address in self.addresses.values())
        slots = [slot for part in (subject, html, text) for slot in part.slots]
        self._routes = list(dict.fromkeys(slot.route for slot in slots if isinstance(slot, Plain)))
        as_one = {*variables, *(route[0] for route in self._routes)}
        self._whole = {name: address for name, address in self.addresses.items() if name in as_one}
        self._frame = self.frame({route: at for at, route in enumerate(self._routes)})

    def frame(self, layout: Layout) -> Frame:
        """The whole message as one frame, for many people whose values come in the order that `layout` tells.

        What the layout does not have is taken from person and specials.
        """
        return Frame(self._subject, self._text, self._html, layout, self._tokens)

    def render(self, person: Data, specials: Specials) -> Rendered:
        """The message as read.

        Args:
            person: plain data by root: contact, organisation, broadcast (`merge_tags.person` makes it).
            specials: the tokens of this delivery's `addresses`; for other specials (unsubscribe_url, webview_url,
                open_url and those that `link_for` named) the address. One that is missing is left empty.

        Raises:
            ContentError: a filter cannot work on this person's data.
        """
        specials = self.complete(specials)
        return Rendered(
            one_line(self._subject.text(person, specials)),
            self._html.text(person, specials),
            self._text.text(person, specials),
        )

    def message(self, person: Data, specials: Specials, header_lines: Iterable[bytes]) -> bytes:
        """The complete message (RFC 5322): CRLF line ends, no bare CR or LF, lines within limits, not dot-stuffed.

        Args:
            person, specials: as for `render`.
            header_lines: complete headers but Subject and those of MIME, each with its CRLF, made by
                `envoi.content.headers` or `envoi.content.bulk_headers`.

        Raises:
            ContentError: a filter cannot work on this person's data.
        """
        specials = self.complete(specials)
        values = [found(route, person, specials) for route in self._routes]
        for at, route in enumerate(self._routes):
            if route[0] in self._tokens:
                values[at] = specials.get(route[0], "").encode("ascii")
        return self._frame.join(tuple(header_lines), values, lambda: (person, specials))

    def complete(self, specials: Specials) -> Specials:
        """`specials` with those addresses beside their tokens that something in the message reads as one."""
        whole = {name: one.whole(specials.get(one.token, "").encode()) for name, one in self._whole.items()}
        return {**whole, **specials}
