"""What only the author of a mailing knows: how a message looks in a browser, where its links lead for one person, and
which lists it was for.

The authors (broadcasts and the like) stand on floors above. Each registers an `Origin` under the name of its composer,
from its `apps.ready()`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from envoi.delivery.models import Delivery, Mailing


@dataclass(frozen=True, slots=True)
class WebView:
    """A message as a document: the whole HTML, and its title as plain text."""

    html: str
    title: str = ""


class NothingToShow(LookupError):
    """The message has no web view, or the link leads nowhere for this person."""


class Origin(Protocol):
    """The author of mailings."""

    def web_view(self, delivery: Delivery) -> WebView:
        """The message of `delivery`, without its open pixel: reading it in a browser is a GET and changes nothing.

        Raises:
            NothingToShow: see there.
        """

    def link_target(self, delivery: Delivery, url: str) -> str:
        """`url` (as registered, with merge tags) filled in for the person of `delivery`, values URL-escaped.

        Raises:
            NothingToShow: see there.
        """

    def lists(self, mailing: Mailing) -> Iterable[int]:
        """The ids of the lists that `mailing` included; who unsubscribes from it leaves these."""


_origins: dict[str, Origin] = {}


def register(composer: str, origin: Origin) -> None:
    """Let `origin` answer for the mailings of this `composer`."""
    _origins[composer] = origin


def of(mailing: Mailing) -> Origin | None:
    """Who answers for `mailing`; None when its author is not installed."""
    return _origins.get(mailing.composer)
