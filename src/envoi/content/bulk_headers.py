"""The headers of bulk mail, from plain data.

Guarantees: From, Date, Message-ID; List-Unsubscribe with an https (or http) and a mailto address and one-click
(RFC 2369, RFC 8058); List-Id (RFC 2919); Feedback-ID of at most four fields with nothing personal; Precedence: bulk.
Two lists: what is the same for everybody is written once, the rest per person.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from envoi.content import headers
from envoi.content.headers import HeaderError

_LABEL = re.compile(r"[^A-Za-z0-9._-]+")
ONE_CLICK = headers.structured("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")


@dataclass(frozen=True, slots=True)
class Bulk:
    """What the headers of one mailing need to know.

    Attributes:
        from_name, from_address, reply_to: of the sender identity; name and reply_to may be "".
        list_name, list_id: for List-Id: words for people (may be "") and an identifier such as "news.example.org".
        feedback: up to four fields for Feedback-ID, the last the sender; [] for none.
        marketing: False leaves out the unsubscribe headers, for transactional mail.
        custom: further headers of the user's own.
    """

    from_name: str
    from_address: str
    reply_to: str = ""
    list_name: str = ""
    list_id: str = ""
    feedback: Sequence[str] = ()
    marketing: bool = True
    custom: Sequence[tuple[str, str]] = ()


def shared(bulk: Bulk) -> list[bytes]:
    """The headers that are the same for everybody.

    Raises:
        HeaderError: a value cannot stand in a header.
    """
    lines = [headers.addresses("From", [(bulk.from_name, bulk.from_address)])]
    if bulk.reply_to:
        lines.append(headers.addresses("Reply-To", [("", bulk.reply_to)]))
    if bulk.list_id:
        lines.append(_list_id(bulk.list_name, bulk.list_id))
    if bulk.feedback:
        if len(bulk.feedback) > 4:
            raise HeaderError("Feedback-ID takes at most four fields.")
        lines.append(headers.structured("Feedback-ID", ":".join(_LABEL.sub("-", part) for part in bulk.feedback)))
    if bulk.marketing:
        lines += [ONE_CLICK, headers.structured("Precedence", "bulk")]
    lines += [headers.custom(name, value) for name, value in bulk.custom]
    return lines


def personal(
    *,
    to_name: str,
    to_address: str,
    message_id: str,
    date: datetime,
    unsubscribe_url: str = "",
    unsubscribe_mailto: str = "",
) -> list[bytes]:
    """The headers of one message.

    Args:
        to_name: words for people; control characters in it are dropped, since it is a person's data.
        message_id: without angle brackets.
        unsubscribe_url: answers RFC 8058's POST; "" where nobody can unsubscribe.
        unsubscribe_mailto: an address, perhaps with ?subject=…; "" for none.

    Raises:
        HeaderError: an address or identifier is none.
    """
    lines = [
        headers.mailbox("To", to_name, to_address),
        headers.date("Date", date),
        headers.message_id("Message-ID", f"<{message_id}>"),
    ]
    ways = [way for way in (unsubscribe_url, f"mailto:{unsubscribe_mailto}" if unsubscribe_mailto else "") if way]
    if ways:
        lines.append(headers.uris("List-Unsubscribe", ways))
    return lines


def _list_id(name: str, identifier: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,200}", identifier):
        raise HeaderError(f"“{identifier[:100]}” is not a list identifier.")
    words = headers.phrase(headers.cleaned(name), "List-Id")
    return headers.folded("List-Id", [*words, f"<{identifier}>"])


class Personal:
    """`shared` and `personal` for the many messages of one mailing: the same bytes, but what repeats is written once.

    Args:
        same: the headers that `shared` made.
        message_id: its identifier with `KEY` in the place of each message's own 16 letters and digits.
        unsubscribe_url: with `TOKEN` in the place of each message's own token of 24 characters; "" for none.
        unsubscribe_mailto: as for `personal`.

    Raises:
        HeaderError: an address or identifier is none.
    """

    KEY: Final = "k" * 16
    TOKEN: Final = "t" * 24

    def __init__(
        self, same: bytes, *, message_id: str, unsubscribe_url: str = "", unsubscribe_mailto: str = ""
    ) -> None:
        self._same = same
        self._before_key, _, self._after_key = headers.message_id("Message-ID", f"<{message_id}>").partition(
            self.KEY.encode()
        )
        ways = [way for way in (unsubscribe_url, f"mailto:{unsubscribe_mailto}" if unsubscribe_mailto else "") if way]
        leaving = headers.uris("List-Unsubscribe", ways) if ways else b""
        before, self._is_personal, self._after_token = leaving.partition(self.TOKEN.encode())
        self._after_key += before
        self._date: tuple[datetime | None, bytes] = (None, b"")

    def lines(self, to_name: str, to_address: str, key: str, date: datetime, token: bytes) -> tuple[bytes, ...]:
        """The headers of one message.

        Args:
            key, token: what stands in the places of `KEY` and `TOKEN`, of that length: letters, digits, "-" and "_".

        Raises:
            HeaderError: the address cannot stand in a header.
        """
        if self._date[0] != date:
            self._date = (date, headers.date("Date", date) + self._before_key)
        to = headers.mailbox("To", to_name, to_address)
        own = key.encode("ascii")
        if not self._is_personal:
            return self._same, to, self._date[1], own, self._after_key
        return self._same, to, self._date[1], own, self._after_key, token, self._after_token
