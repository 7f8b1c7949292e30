"""The addresses that stand in a message: open pixel, tracked link, web view, unsubscribe.

Each is the base URL, one letter for what it does, and a token of the delivery (`envoi.delivery.tokens`), so a hit is
understood and answered without a database. A tracked link has a second token behind it, which names the `TrackedLink`
and is the same in all messages: `/c/<delivery>/<link>`. Public to other domains; pure.
"""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings

from envoi.content.compile import Address
from envoi.core import signing
from envoi.delivery import tokens

UNSUBSCRIBE = tokens.UNSUBSCRIBE
WEB_VIEW = tokens.WEB_VIEW
CLICK = tokens.CLICK
OPEN = tokens.OPEN
# The uses in the order of `tokens.Tokens`.
USES = (UNSUBSCRIBE, WEB_VIEW, CLICK, OPEN)

# The id of no delivery: its addresses stand in previews and test messages, and lead to a page that says so.
EXAMPLE = 0

# 2^32 links are enough, and short addresses are kinder to readers of plain text.
LINK_LENGTH = 4
LINK_PROOF = 8
_LINK = "tracked link"


class ExampleOnly(LookupError):
    """The address stands in a preview or a test message: there is nothing to count, show or leave."""


class Click(NamedTuple):
    """What a tracked link says: whose message it stood in and which `TrackedLink` it leads to.

    Each part is proven by itself; that the link is one of that message's mailing is not.
    """

    delivery_id: int
    link_id: int


def open_address() -> Address:
    """The address of the pixel that tells that the message was opened."""
    return Address(f"{settings.ENVOI_BASE_URL}/o/", OPEN, ".gif")


def click_address(link_id: int) -> Address:
    """The address that counts a click and leads on to the `TrackedLink` with `link_id`."""
    return Address(f"{settings.ENVOI_BASE_URL}/c/", CLICK, f"/{_link_token(link_id)}")


def webview_address() -> Address:
    """The address under which the message can be read in a browser."""
    return Address(f"{settings.ENVOI_BASE_URL}/w/", WEB_VIEW)


def unsubscribe_address() -> Address:
    """The address that asks (GET) whether to unsubscribe, and does so (POST; RFC 8058 one-click)."""
    return Address(f"{settings.ENVOI_BASE_URL}/u/", UNSUBSCRIBE)


def open_url(delivery_id: int) -> str:
    """`open_address` of one delivery."""
    return open_address().whole(tokens.of(delivery_id).open)


def click_url(delivery_id: int, link_id: int) -> str:
    """`click_address` of one delivery."""
    return click_address(link_id).whole(tokens.of(delivery_id).click)


def webview_url(delivery_id: int) -> str:
    """`webview_address` of one delivery."""
    return webview_address().whole(tokens.of(delivery_id).web_view)


def unsubscribe_url(delivery_id: int) -> str:
    """`unsubscribe_address` of one delivery."""
    return unsubscribe_address().whole(tokens.of(delivery_id).unsubscribe)


def read_delivery(token: str, use: str) -> int:
    """The delivery a token of `use` (OPEN, CLICK, WEB_VIEW or UNSUBSCRIBE) names.

    Raises:
        signing.BadToken: it is forged, cut or of another use.
        ExampleOnly: it names none on purpose.
    """
    delivery_id = tokens.read(token, use)
    if delivery_id == EXAMPLE:
        raise ExampleOnly("of a preview or a test message")
    return delivery_id


def read_click(delivery: str, link: str) -> Click:
    """What the two tokens of a tracked link name.

    Raises:
        signing.BadToken: one of them is forged, cut or of another use.
    """
    return Click(tokens.read(delivery, CLICK), _link_id(link))


def _link_token(link_id: int) -> str:
    return signing.sign(link_id.to_bytes(LINK_LENGTH), _LINK, LINK_PROOF)


def _link_id(token: str) -> int:
    payload = signing.read(token, _LINK, LINK_PROOF)
    if len(payload) != LINK_LENGTH:
        raise signing.BadToken("not of this form")
    return int.from_bytes(payload)
