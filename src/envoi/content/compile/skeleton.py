"""A compiled e-mail: everything that is the same for all is done; what differs is filled in for each person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from envoi.content import escaping, headers, mime
from envoi.content.compile.parts import Part
from envoi.content.compile.slots import Data, Specials


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
    """

    def __init__(
        self, subject: Part, html: Part, text: Part, variables: tuple[str, ...], links: tuple[Link, ...]
    ) -> None:
        self.variables = variables
        self.links = links
        self._subject, self._html, self._text = subject, html, text
        self._fixed_subject = (
            headers.unstructured("Subject", _one_line(subject.text({}, {}))) if subject.is_fixed else b""
        )
        self._to_text = mime.HEADERS + b"\r\n" + mime.opening(base64=text.base64, kind="plain")
        self._to_html = b"\r\n" + mime.opening(base64=html.base64, kind="html")

    def render(self, person: Data, specials: Specials) -> Rendered:
        """The message as read.

        Args:
            person: plain data by root: contact, organisation, broadcast (`merge_tags.person` makes it).
            specials: the addresses of this delivery: unsubscribe_url, webview_url, open_url and those that `link_for`
                named. One that is missing is left empty.

        Raises:
            ContentError: a filter cannot work on this person's data.
        """
        return Rendered(
            _one_line(self._subject.text(person, specials)),
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
        subject = self._fixed_subject or headers.unstructured(
            "Subject", _one_line(self._subject.text(person, specials))
        )
        return b"".join(
            (
                *header_lines,
                subject,
                self._to_text,
                self._text.encoded(person, specials),
                self._to_html,
                self._html.encoded(person, specials),
                mime.CLOSING,
            )
        )


def _one_line(subject: str) -> str:
    return escaping.at_header(subject).strip()
