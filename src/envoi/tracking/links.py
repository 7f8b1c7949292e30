"""The addresses that stand in a message: open pixel, tracked link, web view, unsubscribe.

Each is the base URL, one letter for what it does, and a signed token of the ids it needs, so a hit is understood and
answered without a database. Public to other domains; pure. The ids say nothing without the signature, and a token of
one use is not one of another (its key differs).
"""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings

from envoi.core import signing

OPEN = "open"
CLICK = "click"
WEB_VIEW = "web-view"
UNSUBSCRIBE = "unsubscribe"

# Bytes of an id: 2^48 deliveries and 2^40 links are more than enough, and short links are kinder to text readers.
DELIVERY_LENGTH = 6
LINK_LENGTH = 5


# The id of no delivery: its addresses stand in previews and test messages, and lead to a page that says so.
EXAMPLE = 0


class ExampleOnly(LookupError):
    """The address stands in a preview or a test message: there is nothing to count, show or leave."""


class Click(NamedTuple):
    """What a tracked link says: whose message it stood in and which `TrackedLink` it leads to."""

    delivery_id: int
    link_id: int


def open_url(delivery_id: int) -> str:
    """The address of the pixel that tells that the message was opened."""
    return f"{settings.ENVOI_BASE_URL}/o/{signing.sign(delivery_id.to_bytes(DELIVERY_LENGTH), OPEN)}.gif"


def click_url(delivery_id: int, link_id: int) -> str:
    """The address that counts a click and leads on to the `TrackedLink` with `link_id`."""
    payload = delivery_id.to_bytes(DELIVERY_LENGTH) + link_id.to_bytes(LINK_LENGTH)
    return f"{settings.ENVOI_BASE_URL}/c/{signing.sign(payload, CLICK)}"


def webview_url(delivery_id: int) -> str:
    """The address under which the message can be read in a browser."""
    return f"{settings.ENVOI_BASE_URL}/w/{signing.sign(delivery_id.to_bytes(DELIVERY_LENGTH), WEB_VIEW)}"


def unsubscribe_url(delivery_id: int) -> str:
    """The address that asks (GET) whether to unsubscribe, and does so (POST; RFC 8058 one-click)."""
    return f"{settings.ENVOI_BASE_URL}/u/{signing.sign(delivery_id.to_bytes(DELIVERY_LENGTH), UNSUBSCRIBE)}"


def read_delivery(token: str, use: str) -> int:
    """The delivery a token of `use` (OPEN, WEB_VIEW or UNSUBSCRIBE) names.

    Raises:
        signing.BadToken: it is forged, cut or of another use.
        ExampleOnly: it names none on purpose.
    """
    payload = signing.read(token, use)
    if len(payload) != DELIVERY_LENGTH:
        raise signing.BadToken("not of this form")
    delivery_id = int.from_bytes(payload)
    if delivery_id == EXAMPLE:
        raise ExampleOnly("of a preview or a test message")
    return delivery_id


def read_click(token: str) -> Click:
    """What the token of a tracked link names.

    Raises:
        signing.BadToken: it is forged, cut or of another use.
    """
    payload = signing.read(token, CLICK)
    if len(payload) != DELIVERY_LENGTH + LINK_LENGTH:
        raise signing.BadToken("not of this form")
    return Click(int.from_bytes(payload[:DELIVERY_LENGTH]), int.from_bytes(payload[DELIVERY_LENGTH:]))
