"""From the stored keys to a signer, and the hook by which the engine signs what composers write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from envoi.core import secrets, wording
from envoi.delivery.composers import Compose, Leased, Message, RenderProblem
from envoi.delivery.dkim.keypairs import signing_key
from envoi.delivery.dkim.signing import Signer, SigningKey
from envoi.delivery.models import DkimKey
from envoi.delivery.relay import RelayNotReady


class KeyUnreadable(RelayNotReady):
    """A stored private key cannot be read; the message says which and what to do."""


def sealed_for(domain: str, selector: str) -> str:
    """The context under which the private key is encrypted: it is readable in this row only."""
    return f"dkim:{selector}._domainkey.{domain}"


def signer() -> Signer | None:
    """A signer with all keys that sign now, None when there is none. One query; the signer itself makes none.

    Signing raises `KeyUnreadable` when a key of the message's domain was not stored with this installation's secret
    key: a message that ought to be signed is not sent without.
    """
    stored: dict[str, list[DkimKey]] = {}
    # RSA first: it is what every receiver knows.
    for key in DkimKey.objects.filter(is_active=True).order_by("-algorithm", "id"):
        stored.setdefault(key.domain, []).append(key)
    if not stored:
        return None
    return Signer(lambda domain: [_opened(key) for key in stored.get(domain, ())])


def signed(compose: Compose, by: Signer | None) -> Compose:
    """`compose`, with what it writes signed: the time of the signature is that of the first attempt."""
    return compose if by is None else _Signed(compose, by)


def sign_one(message: bytes, at: datetime) -> bytes:
    """A single message (RFC 5322 form, CRLF), signed with the keys of its From domain if it has any.

    Raises:
        KeyUnreadable: it has one that cannot be read.
    """
    by = signer()
    return by.sign(message, at) if by else message


class _Signed:
    def __init__(self, compose: Compose, by: Signer) -> None:
        self._compose, self._by = compose, by

    def load(self, batch: Sequence[Leased], /) -> Sequence[Any]:
        return self._compose.load(batch)

    def write(self, row: Leased, loaded: Any, /) -> Message | RenderProblem:
        message = self._compose.write(row, loaded)
        if isinstance(message, RenderProblem):
            return message
        # A signature has clean lines too.
        return Message(message.return_path, self._by.sign(message.data, row.first_attempt_at), message.clean_lines)


def _opened(key: DkimKey) -> SigningKey:
    try:
        private = secrets.decrypt(key.private_encrypted, sealed_for(key.domain, key.selector))
    except secrets.SecretUnreadable as error:
        raise KeyUnreadable(
            wording.gettext(
                "The DKIM key %(key)s cannot be read with this secret key. Remove it and make a new one.", key=key
            )
        ) from error
    return signing_key(key.domain, key.selector, private)
