"""Headers written byte by byte (RFC 5322, RFC 2047, RFC 6532).

Guarantees: no line over 998 octets, lines of at most 78 wherever a blank allows a fold; encoded words of at most 75
characters, cut between characters, never inside an address or a URI; a name or value with CR, LF, NUL or another
control character is refused. Each function gives one complete header, CRLF included.
Python's own writer is not used: it turns a long List-Unsubscribe into encoded words, which breaks one-click.
"""

from __future__ import annotations

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from django.utils.translation import gettext as _

from envoi.content.escaping import is_tidy

FOLD_AT = 78
LONGEST_LINE = 998
LONGEST_WORD = 75
LONGEST_PLAIN_NAME = 60

# The structure of a message and the promises of a bulk message are not a matter of taste.
RESERVED = frozenset(
    {
        "from",
        "to",
        "cc",
        "bcc",
        "sender",
        "reply-to",
        "subject",
        "date",
        "message-id",
        "in-reply-to",
        "references",
        "return-path",
        "received",
        "precedence",
        "feedback-id",
        "auto-submitted",
    }
)
RESERVED_FAMILIES = (
    "list-",
    "content-",
    "resent-",
    "arc-",
    "dkim-",
    "mime-",
    "authentication-",
    "received-",
    "x-envoi-",
)

_NAME = re.compile(r"[!-9;-~]{1,76}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_EASY_WORDS = re.compile(r"[!-~]+(?: [!-~]+)*")
_EASY_MAILBOX = re.compile(r"(?:[A-Za-z0-9'-]+ )*<[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+>")
_EASY_ADDRESS = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+")
_URI = re.compile(r"[!-;=?-~]+")
_ADDRESS = re.compile(r"[^\s<>,;:()\[\]\\\"@]+@[^\s<>,;:()\[\]\\\"@]+")
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q_WRITTEN = re.compile(rb"[A-Za-z0-9!*+/_=-]*")
_Q_LENGTH_1 = bytes([*_Q_SAFE, 0x20])
_Q = [chr(byte) if byte in _Q_SAFE else "_" if byte == 0x20 else f"={byte:02X}" for byte in range(256)]
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class HeaderError(ValueError):
    """A header that must not be written; the message names it and says why."""


def unstructured(name: str, value: str) -> bytes:
    """A header of free text, such as Subject."""
    if len(name) + len(value) < FOLD_AT - 2 and _EASY_WORDS.fullmatch(value) and "=?" not in value:
        _check_name(name)
        return f"{name}: {value}\r\n".encode("ascii")
    _check(name, value)
    if len(name) + len(value) < FOLD_AT - 2 and _is_plain(value):
        return f"{name}: {value}\r\n".encode("ascii")
    if _is_plain(value) and all(len(word) < LONGEST_LINE - len(name) - 4 for word in value.split(" ")):
        return folded(name, value.split(" "))
    words = encoded_words(value, FOLD_AT - len(name) - 2)
    return f"{name}: {words[0]}\r\n".encode("ascii") if len(words) == 1 else folded(name, words)


def mailbox(name: str, display: str, address: str) -> bytes:
    """A header of one address: what `addresses` says of one, quickly; `display` is people's own data and cleaned."""
    if display.isascii() and len(display) < LONGEST_PLAIN_NAME:
        value = f"{display} <{address}>"
        if len(name) + len(value) < FOLD_AT - 2 and _EASY_MAILBOX.fullmatch(value):
            return f"{name}: {value}\r\n".encode("ascii")
    words = _own_phrase(display, name)
    if len(words) == 1 and _EASY_ADDRESS.fullmatch(address):
        start = f"{name}: {words[0]}"
        cut = "\r\n" if len(start) + len(address) + 3 > FOLD_AT else ""
        return f"{start}{cut} <{address}>\r\n".encode("ascii")
    return addresses(name, [(cleaned(display), address)])


def structured(name: str, value: str) -> bytes:
    """A header of ASCII tokens that must stay as they are; folded at its blanks only."""
    _check(name, value)
    if not value.isascii():
        raise HeaderError(_("The header %(name)s takes plain ASCII only.") % {"name": name})
    words = value.split(" ")
    if any(len(word) > LONGEST_LINE - len(name) - 4 for word in words):
        raise HeaderError(_("The header %(name)s is too long.") % {"name": name})
    return folded(name, words)


def addresses(name: str, mailboxes: Iterable[tuple[str, str]]) -> bytes:
    """A header of addresses; `mailboxes` are pairs of display name (or "") and address."""
    written = [_mailbox(name, display, address) for display, address in mailboxes]
    if not written:
        raise HeaderError(_("The header %(name)s has no address.") % {"name": name})
    words = []
    for index, mailbox in enumerate(written):
        mailbox[-1] += "," if index < len(written) - 1 else ""
        words += mailbox
    return folded(name, words)


def uris(name: str, targets: Iterable[str]) -> bytes:
    """A header of URIs in angle brackets (RFC 2369 §2), each whole on its own line if need be."""
    words = []
    for target in targets:
        _check(name, target)
        if not _URI.fullmatch(target) or len(target) > LONGEST_LINE - len(name) - 6:
            raise HeaderError(_("The header %(name)s takes complete ASCII addresses only.") % {"name": name})
        words.append(f"<{target}>,")
    if not words:
        raise HeaderError(_("The header %(name)s has no address.") % {"name": name})
    words[-1] = words[-1][:-1]
    return folded(name, words)


def message_id(name: str, value: str) -> bytes:
    """A header of one message identifier in angle brackets (RFC 5322 §3.6.4)."""
    _check(name, value)
    if not _MESSAGE_ID.fullmatch(value) or len(value) > LONGEST_LINE - len(name) - 4:
        raise HeaderError(_("“%(value)s” is not a message identifier.") % {"value": value[:100]})
    return f"{name}: {value}\r\n".encode("ascii")


def date(name: str, moment: datetime) -> bytes:
    """A header of a date in UTC (RFC 5322 §3.3)."""
    _check(name, "")
    at = moment.astimezone(UTC)
    text = f"{_DAYS[at.weekday()]}, {at.day:02} {_MONTHS[at.month - 1]} {at.year:04} {at:%H:%M:%S} +0000"
    return f"{name}: {text}\r\n".encode("ascii")


def custom(name: str, value: str) -> bytes:
    """A header that a user thought of: free text under a name that means nothing to mail itself."""
    lower = name.lower()
    if lower in RESERVED or lower.startswith(RESERVED_FAMILIES):
        raise HeaderError(_("The header %(name)s is written by Envoi and cannot be set.") % {"name": name})
    return unstructured(name, value)


def encoded_words(text: str, first: int = LONGEST_WORD) -> list[str]:
    """`text` as encoded words of UTF-8 (RFC 2047); the first at most `first` characters long.

    Q or B, whichever is shorter. The Q form uses only what §5 (3) allows in a phrase, so it fits every place.
    """
    raw = text.encode()
    q_length = len(raw) + 2 * len(raw.translate(None, _Q_LENGTH_1))
    letter, write = ("q", _q) if q_length <= 4 * ((len(raw) + 2) // 3) else ("b", _b)
    words: list[str] = []
    chunk, room = b"", min(first, LONGEST_WORD) - len("=?utf-8?q??=")
    if (q_length if letter == "q" else 4 * ((len(raw) + 2) // 3)) <= room:
        return [f"=?utf-8?{letter}?{write(raw)}?="]
    for character in text:
        more = chunk + character.encode()
        if chunk and len(write(more)) > room:
            words.append(f"=?utf-8?{letter}?{write(chunk)}?=")
            more, room = character.encode(), LONGEST_WORD - len("=?utf-8?q??=")
        chunk = more
    words.append(f"=?utf-8?{letter}?{write(chunk)}?=")
    return words


def _q(raw: bytes) -> str:
    # Quick, and right unless a sign came through that stands for something in a phrase, or a blank ends it.
    written = b2a_qp(raw, header=True)
    if raw[-1:] == b" " or not _Q_WRITTEN.fullmatch(written):
        return "".join([_Q[byte] for byte in raw])
    return written.decode("ascii")


def _b(raw: bytes) -> str:
    return b2a_base64(raw, newline=False).decode("ascii")


def _mailbox(name: str, display: str, address: str) -> list[str]:
    _check(name, display)
    _check(name, address)
    if not _ADDRESS.fullmatch(address) or len(address.encode()) > 320:
        raise HeaderError(_("“%(value)s” in %(name)s is not an address.") % {"value": address[:100], "name": name})
    words = phrase(display, name)
    return [*words, f"<{address}>"] if words else [address]


def phrase(display: str, name: str) -> list[str]:
    """A display name (RFC 5322 phrase) for the header `name`, as words to fold between; [] for an empty one."""
    display = display.strip()
    if not display:
        return []
    if len(display) < LONGEST_PLAIN_NAME and _is_plain(display):
        quoted = display.replace("\\", "\\\\").replace('"', '\\"')
        return [display if _ATOMS.fullmatch(display) else f'"{quoted}"']
    return encoded_words(display, FOLD_AT - len(name) - 2)


@lru_cache(maxsize=2_000)
def _own_phrase(display: str, name: str) -> list[str]:
    return phrase(cleaned(display), name)


def cleaned(words: str) -> str:
    """`words` on one line without control characters: what people's own data needs before it is a header's value."""
    return words if is_tidy(words) else " ".join(_CONTROL.sub(" ", words).split())


def _check(name: str, value: str) -> None:
    _check_name(name)
    if _CONTROL.search(value):
        raise HeaderError(_("The header %(name)s holds a line break or control character.") % {"name": name})


@lru_cache(maxsize=256)
def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise HeaderError(_("“%(name)s” is not a header name.") % {"name": name[:100]})


def _is_plain(value: str) -> bool:
    return value.isascii() and "=?" not in value and value == value.strip() and "  " not in value


def folded(name: str, words: list[str]) -> bytes:
    """`words` that are ready to be written, on lines of 78 where they can be cut; for the writers of headers."""
    lines, line = [], f"{name}:"
    for index, word in enumerate(words):
        if index and len(line) + 1 + len(word) > FOLD_AT:
            lines.append(line)
            line = ""
        line += f" {word}"
    return ("\r\n".join([*lines, line]) + "\r\n").encode()
