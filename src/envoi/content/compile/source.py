"""What goes into the compiler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

LinkFor = Callable[[int, str, str], str | None]
"""Called for each link that can be tracked with its position (from 0), its address (a Liquid template when it holds
merge tags) and its label; answers the name of the *special* that will hold the tracked address, or None to leave the
link alone. The name is a word such as "click_3"."""


class Address(NamedTuple):
    """An address of a message that is the same for everybody but for a token.

    Attributes:
        token: the name under which a message's specials hold the token: letters, digits, "-" and "_".
    """

    before: str
    token: str
    after: str = ""

    def whole(self, token: bytes) -> str:
        """The address with one message's token."""
        return f"{self.before}{token.decode('ascii')}{self.after}"


@dataclass(frozen=True, slots=True)
class Source:
    """One e-mail as its author wrote it.

    Attributes:
        subject: Liquid, one line.
        body: Liquid in HTML; when `body_type` is "rich_text", of an editor: only formatting is kept.
        preheader: Liquid; the words that inboxes show after the subject.
        text: Liquid; the plain version. Empty: made from the HTML.
        layout_html: Liquid in HTML with `{{ content }}`. Empty: a bare document.
        layout_text: Liquid with `{{ content }}`, around the plain version.
        language: a language tag (RFC 5646), for `lang`, `dir` and the words that Envoi adds.
        opt_out_required: add a footer with the unsubscribe link and the postal address when they are missing.
        track_opens: put the open pixel (special `open_url`) at the end.
        fields: keys of the contacts' further fields that merge tags may name; None: any.
    """

    subject: str
    body: str
    body_type: Literal["rich_text", "html"] = "html"
    preheader: str = ""
    text: str = ""
    layout_html: str = ""
    layout_text: str = ""
    language: str = "en"
    opt_out_required: bool = False
    track_opens: bool = False
    fields: frozenset[str] | None = None
