"""Return paths that name the delivery (VERP): what bounces to one can be laid to the right row, and cannot be forged.

Form: `bounces+TOKEN@domain`, TOKEN = base32 (RFC 4648 §6) in lower case of the delivery's id (6 bytes, big-endian) ‖
first 9 bytes of HMAC-SHA256 over it: 24 characters, well below the 64 of a local part (RFC 5321 §4.5.3.1.1). Relays on
the way back may change the case of a local part; base32 does not mind.
"""

from __future__ import annotations

import hmac
from base64 import b32decode, b32encode

from envoi.core import keys

PREFIX = "bounces+"
ID_LENGTH = 6
MAC_LENGTH = 9
TOKEN_LENGTH = (ID_LENGTH + MAC_LENGTH) * 8 // 5


class NotAReturnPath(ValueError):
    """The address is no return path of this installation."""


def make(delivery_id: int, domain: str) -> str:
    """The return path of a delivery, the same on every attempt."""
    payload = delivery_id.to_bytes(ID_LENGTH, "big")
    return f"{PREFIX}{b32encode(payload + _mac(payload)).decode().lower()}@{domain}"


def read(address: str) -> int:
    """The delivery's id that a return path names, in whatever case it came back.

    Raises:
        NotAReturnPath: it was not made by `make` with this installation's key.
    """
    local = address.strip().strip("<>").rpartition("@")[0].lower()
    token = local.removeprefix(PREFIX)
    if token == local or len(token) != TOKEN_LENGTH or not token.isascii():
        raise NotAReturnPath("not the form of a return path")
    try:
        raw = b32decode(token.upper())
    except ValueError as error:
        raise NotAReturnPath("not the form of a return path") from error
    payload, mac = raw[:ID_LENGTH], raw[ID_LENGTH:]
    if not hmac.compare_digest(mac, _mac(payload)):
        raise NotAReturnPath("the signature does not fit")
    return int.from_bytes(payload, "big")


def _mac(payload: bytes) -> bytes:
    return hmac.digest(keys.derive("return path"), payload, "sha256")[:MAC_LENGTH]
