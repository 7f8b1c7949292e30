"""E-mail addresses: read, checked and brought into the one form under which they are compared.

Two forms: the *address* as it is written to (local part as given, domain in lower case) and its *key*
(local part and domain in lower case, domain as A-labels, Unicode in NFC) under which lists, suppressions and the
ledger compare.
Quoted local parts, domain literals and comments are refused on purpose, with a reason: hardly any mailbox has one, many
typing errors look like one (RFC 5321 §4.1.2 allows them, RFC 6530–6532 give the international forms).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, EmailSyntaxError, validate_email

from envoi.core.address_reasons import in_our_words

LONGEST = 254


class AddressError(ValueError):
    """The text is no address that mail can be sent to; the message says why, for a person."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address that may be written to.

    Attributes:
        text: as it goes into MAIL, RCPT and headers.
        key: as it is compared.
    """

    text: str
    key: str

    @property
    def domain(self) -> str:
        """The part after the @, as A-labels in lower case."""
        return self.key.rpartition("@")[2]


def parse(text: str) -> Address:
    """The address that `text` holds; blanks around it are forgiven, nothing else.

    Raises:
        AddressError: it is none, or of a form that Envoi refuses.
    """
    stripped = text.strip()
    if not stripped:
        raise AddressError(_("The e-mail address is empty."))
    if len(stripped.encode(errors="replace")) > LONGEST:
        raise AddressError(_("The e-mail address is longer than 254 characters."))
    return _parse(stripped)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Address:
    try:
        found = validate_email(
            text,
            check_deliverability=False,
            allow_quoted_local=False,
            allow_domain_literal=False,
            test_environment=True,
            strict=True,  # also the 64 octets of a local part (RFC 5321 §4.5.3.1.1)
        )
    except (EmailSyntaxError, EmailNotValidError) as error:
        raise AddressError(
            _("“%(text)s” is not an e-mail address. %(reason)s")
            % {"text": text[:100], "reason": in_our_words(str(error))}
        ) from error
    domain = found.ascii_domain.lower()
    return Address(
        text=f"{found.local_part}@{domain if found.local_part.isascii() else found.domain}",
        key=f"{found.local_part.lower()}@{domain}",
    )


def key_of(text: str) -> str:
    """The form under which an address is compared; of a text that is no address, its lower case."""
    try:
        return parse(text).key
    except AddressError:
        return text.strip().lower()
