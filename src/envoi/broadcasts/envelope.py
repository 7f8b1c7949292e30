"""The headers of a broadcast's messages, and the addresses that stand in a message which is no real delivery."""

from __future__ import annotations

from datetime import datetime

from envoi.broadcasts.senders import Sender
from envoi.content import bulk_headers
from envoi.content.bulk_headers import Personal
from envoi.content.compile import Address
from envoi.delivery.models import Mailing
from envoi.tracking import links


class Headers:
    """The headers of all messages of a broadcast: what is the same for all is written once.

    Args:
        bulk: announce bulk mail and one-click unsubscribing (RFC 8058); not for transactional messages.
        feedback: names the mailing to the mailbox providers' feedback loops; nothing personal.

    Raises:
        HeaderError: the sender's name or address cannot stand in a header.
    """

    def __init__(self, sender: Sender, *, bulk: bool, feedback: str) -> None:
        answers_to = sender.reply_to or sender.from_address
        self._bulk = bulk
        # A mailto URI of an international address would have to be encoded, which many mail programs do not read.
        self._mailto = f"{answers_to}?subject=unsubscribe" if bulk and answers_to.isascii() else ""
        self._same = b"".join(
            bulk_headers.shared(
                bulk_headers.Bulk(
                    from_name=sender.from_name,
                    from_address=sender.from_address,
                    reply_to=sender.reply_to,
                    list_name=sender.list_name,
                    list_id=f"{sender.list_slug}.{sender.domain}" if bulk else "",
                    feedback=(feedback, sender.list_slug, "broadcast", "envoi") if bulk else (),
                    marketing=bulk,
                )
            )
        )

    def of(self, *, to_name: str, to: str, message_id: str, date: datetime, unsubscribe: str) -> list[bytes]:
        """The headers of one message; `message_id` with its angle brackets.

        Raises:
            HeaderError: the address cannot stand in a header.
        """
        return [
            self._same,
            *bulk_headers.personal(
                to_name=to_name,
                to_address=to,
                message_id=message_id.strip("<>"),
                date=date,
                unsubscribe_url=unsubscribe if self._bulk else "",
                unsubscribe_mailto=self._mailto,
            ),
        ]

    def ready(self, mailing: Mailing) -> Personal:
        """The same headers, for all messages of `mailing`.

        Raises:
            HeaderError: its Message-IDs cannot stand in a header.
        """
        address = links.unsubscribe_address()
        return Personal(
            self._same,
            message_id=mailing.message_id(Personal.KEY).strip("<>"),
            unsubscribe_url=address.whole(Personal.TOKEN.encode()) if self._bulk else "",
            unsubscribe_mailto=self._mailto,
        )


def addresses() -> dict[str, Address]:
    """The addresses of a real delivery that stand in every message, by their specials."""
    return {
        "unsubscribe_url": links.unsubscribe_address(),
        "webview_url": links.webview_address(),
        "open_url": links.open_address(),
    }


def example_links() -> dict[str, str]:
    """Addresses for previews and tests: of the right form, of nobody's delivery, and without the open pixel."""
    return {
        "unsubscribe_url": links.unsubscribe_url(links.EXAMPLE),
        "webview_url": links.webview_url(links.EXAMPLE),
        "open_url": "",
    }
