"""Our own check of the signatures of a message: for the bench, which trusts no figure of unverified work.

Reads a message as a receiver does, from its bytes alone; the tests put dkimpy beside it, which shares no code with us.
"""

from __future__ import annotations

import re
from base64 import b64decode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from envoi.delivery.dkim import canonical
from envoi.delivery.dkim.signing import digest

_SIGNATURE = re.compile(rb"(;\s*b=)[^;]*")


def verify(message: bytes, public: str) -> bool:
    """Whether the first DKIM-Signature of `message` is good under the key `public` (p= of its record)."""
    head, _blank, body = message.partition(b"\r\n\r\n")
    fields = canonical.headers(head)
    signature = next((line for name, line in fields if name == b"dkim-signature"), b"")
    pairs = (piece.partition(b"=") for piece in signature.partition(b":")[2].split(b";"))
    tags = {name.strip(): value.replace(b" ", b"") for name, _equals, value in pairs}
    if b64decode(tags.get(b"bh", b"")) != digest(canonical.body(body)):
        return False
    lines = []
    for name in tags[b"h"].lower().split(b":"):
        at = next((at for at in reversed(range(len(fields))) if fields[at][0] == name), None)
        if at is not None:
            lines.append(fields.pop(at)[1] + b"\r\n")
    signed = b"".join(lines) + _SIGNATURE.sub(rb"\1", signature)
    return _good(tags[b"a"], b64decode(public), b64decode(tags[b"b"]), signed)


def _good(algorithm: bytes, public: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        if algorithm == b"ed25519-sha256":
            Ed25519PublicKey.from_public_bytes(public).verify(signature, digest(signed))
        else:
            key = load_der_public_key(public)
            if not isinstance(key, RSAPublicKey):
                return False
            key.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
