"""What the addresses of one message prove: tokens that name its delivery, all cut from one MAC.

Form 0: 4 bits for the number of the form, 44 bits for the delivery's id (together 6 bytes, big-endian), then the bytes
of the use's own stretch of keyed BLAKE2b (RFC 7693 §2.9, 64 bytes) over those 6. In URLs the whole is base64url
(RFC 4648 §5; each stretch is a multiple of 3 bytes, so one encoding serves all), in the return path hexadecimal, since
relays may change the case of a local part.

Guarantee: who knows the token of one use knows nothing of the others (stretches of a pseudo-random function's output),
and none can be made without this installation's key. Public to other domains; pure.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from binascii import a2b_base64, b2a_base64
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings

from envoi.core import keys
from envoi.core.signing import BadToken

ID_LENGTH = 6
LARGEST = 2**44 - 1
UNSUBSCRIBE, WEB_VIEW, CLICK, OPEN = "unsubscribe", "web_view", "click", "open"
_URL_SAFE, _STANDARD = bytes.maketrans(b"+/", b"-_"), str.maketrans("-_", "+/")
_FORM = re.compile(r"[A-Za-z0-9_-]{20}(?:[A-Za-z0-9_-]{4})?")
_HEXADECIMAL = re.compile(r"[0-9a-f]{30}")


class Tokens(NamedTuple):
    """Of one delivery; those for URLs in ASCII.

    The unsubscribe address acts and the web view shows what is personal: 96 bits prove those; 72 prove an open, a click
    and a return path.
    """

    unsubscribe: bytes
    web_view: bytes
    click: bytes
    open: bytes
    return_path: str


def of(delivery_id: int) -> Tokens:
    """The tokens of a delivery, the same each time.

    Raises:
        OverflowError: the id is negative or larger than `LARGEST`.
    """
    name = delivery_id.to_bytes(ID_LENGTH, "big")
    if delivery_id > LARGEST:
        raise OverflowError(f"{delivery_id} is too large for a delivery")
    mac = _keyed(settings.SECRET_KEY).copy()
    mac.update(name)
    proof = mac.digest()
    text = b2a_base64(name + proof[:42], newline=False).translate(_URL_SAFE)
    who = text[:8]
    return Tokens(who + text[8:24], who + text[24:40], who + text[40:52], who + text[52:], (name + proof[42:51]).hex())


def read(token: str, use: str) -> int:
    """The delivery that a token for `use` (UNSUBSCRIBE, WEB_VIEW, CLICK or OPEN) names.

    Raises:
        BadToken: it is forged, cut or of another use.
    """
    if not _FORM.fullmatch(token):
        raise BadToken("not the form of a token")
    delivery_id = int.from_bytes(a2b_base64(token[:8].translate(_STANDARD)), "big")
    if delivery_id > LARGEST or not hmac.compare_digest(getattr(of(delivery_id), use), token.encode("ascii")):
        raise BadToken("the signature does not fit")
    return delivery_id


def read_return_path(token: str) -> int:
    """The delivery that the token of a return path, in lower case, names.

    Raises:
        BadToken: it is forged or cut.
    """
    if not _HEXADECIMAL.fullmatch(token):
        raise BadToken("not the form of a return path")
    delivery_id = int(token[: 2 * ID_LENGTH], 16)
    if delivery_id > LARGEST or not hmac.compare_digest(of(delivery_id).return_path, token):
        raise BadToken("the signature does not fit")
    return delivery_id


@lru_cache(maxsize=4)
def _keyed(_secret: str) -> hashlib.blake2b:
    """The state after the key: copied for each delivery, the key is worked in once."""
    return hashlib.blake2b(key=keys.derive("tokens of a delivery"), digest_size=64)
