"""Signed tokens for addresses in e-mails: short, unguessable, and decided without a database.

Form: base64url without padding of payload ‖ first 16 bytes of HMAC-SHA256(key of the purpose, payload) (RFC 2104), or
fewer where the purpose says so. A token of one purpose is not one of another.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error

from envoi.core import keys

MAC_LENGTH = 16
LONGEST = 512


class BadToken(ValueError):
    """The token is forged, cut or of another purpose."""


def sign(payload: bytes, purpose: str, proof: int = MAC_LENGTH) -> str:
    """The token that carries `payload`, with `proof` bytes of signature."""
    return urlsafe_b64encode(payload + _mac(payload, purpose)[:proof]).rstrip(b"=").decode()


def read(token: str, purpose: str, proof: int = MAC_LENGTH) -> bytes:
    """The payload of `token`.

    Raises:
        BadToken: it was not made by `sign` with this purpose, this length of proof and this installation's key.
    """
    if len(token) > LONGEST or not token.isascii():
        raise BadToken("not a token")
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (ValueError, Base64Error) as error:
        raise BadToken("not a token") from error
    payload, mac = raw[:-proof], raw[-proof:]
    if not hmac.compare_digest(mac, _mac(payload, purpose)[:proof]) or sign(payload, purpose, proof) != token:
        raise BadToken("the signature does not fit")
    return payload


def _mac(payload: bytes, purpose: str) -> bytes:
    return hmac.digest(keys.derive(f"token:{purpose}"), payload, "sha256")[:MAC_LENGTH]
