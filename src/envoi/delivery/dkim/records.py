"""The DNS record of a key (RFC 6376 §3.6), and whether DNS holds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import dns.exception
import dns.resolver
from django.utils.translation import gettext as _

from envoi.delivery.models import DkimKey

LONGEST_STRING = 255
SECONDS = 5.0


class LookupUnanswered(Exception):
    """DNS could not be asked, or did not answer in time."""


# From a name to its TXT records, each with its strings joined; none when there are none.
Resolve = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Record:
    """The TXT record that must stand in DNS.

    Attributes:
        name: in full, without the last dot.
        value: as a verifier reads it.
        strings: the value in pieces of at most 255 characters, as DNS carries it.
    """

    name: str
    value: str
    strings: tuple[str, ...]

    @property
    def zone_line(self) -> str:
        """As it stands in a zone file."""
        return f"{self.name}. TXT " + " ".join(f'"{piece}"' for piece in self.strings)


class Answer(Enum):
    """What DNS holds."""

    MATCH = "match"
    MISSING = "missing"
    DIFFERENT = "different"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Finding:
    """What DNS holds under the name of a key.

    Attributes:
        explanation: for people; says what to do unless it matches.
        found: the records as they are.
    """

    answer: Answer
    explanation: str
    found: tuple[str, ...] = ()

    @property
    def matches(self) -> bool:
        return self.answer is Answer.MATCH


def record(key: DkimKey) -> Record:
    """What must stand in DNS before receivers can verify what `key` signs."""
    value = f"v=DKIM1; k={key.algorithm}; p={key.public}"
    pieces = tuple(value[start : start + LONGEST_STRING] for start in range(0, len(value), LONGEST_STRING))
    return Record(f"{key.selector}._domainkey.{key.domain}", value, pieces)


def txt(name: str) -> list[str]:
    """The TXT records of `name`.

    Raises:
        LookupUnanswered: no answer.
    """
    try:
        answer = dns.resolver.resolve(f"{name}.", "TXT", lifetime=SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise LookupUnanswered(str(error)) from error
    return [b"".join(found.strings).decode("utf-8", "replace") for found in answer]


def check(key: DkimKey, resolve: Resolve = txt) -> Finding:
    """Ask DNS for the record of `key`, up to five seconds."""
    wanted = record(key)
    try:
        found = tuple(resolve(wanted.name))
    except LookupUnanswered:
        return Finding(
            Answer.UNANSWERED, _("DNS did not answer when asked for %(name)s. Try again.") % {"name": wanted.name}
        )
    if not found:
        text = _("There is no TXT record %(name)s yet. A new record can take some hours to be seen everywhere.")
        return Finding(Answer.MISSING, text % {"name": wanted.name})
    if len(found) > 1:
        text = _("There are several TXT records named %(name)s. Leave only the one of this key.")
        return Finding(Answer.DIFFERENT, text % {"name": wanted.name}, found)
    if reason := _difference(key, found[0]):
        return Finding(Answer.DIFFERENT, reason, found)
    return Finding(Answer.MATCH, _("The record in DNS matches the key."), found)


def _difference(key: DkimKey, text: str) -> str:
    """Why a verifier could not use the record for this key; "" if it can."""
    tags = _tags(text)
    if "p" not in tags or tags.get("v", "DKIM1") != "DKIM1":
        return _("The TXT record is no DKIM key. Replace it with the record of this key.")
    if not tags["p"]:
        return _("The record says that the key was withdrawn (p= is empty). Replace it with the record of this key.")
    if tags["p"] != key.public or tags.get("k", "rsa") != key.algorithm:
        return _("The record holds another key. Replace it with this key’s record, or make one with another selector.")
    if "sha256" not in tags.get("h", "sha256").split(":"):
        return _("The record does not allow SHA-256 (h=). Take h= out of it.")
    if not {"*", "email"} & set(tags.get("s", "*").split(":")):
        return _("The record is not for e-mail (s=). Take s= out of it.")
    return ""


def _tags(text: str) -> dict[str, str]:
    """The tags of a tag list (RFC 6376 §3.2); blanks inside values mean nothing in any of those read here."""
    pairs = (piece.partition("=") for piece in text.split(";"))
    return {name.strip(): "".join(value.split()) for name, equals, value in pairs if equals}
