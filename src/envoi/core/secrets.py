"""Secrets at rest: passwords of relays and the like are stored as AES-256-GCM ciphertext and never shown again.

Form: `v1.` and base64url of nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes). The `context` is authenticated but not
stored: a ciphertext moved to another row or field does not decrypt (NIST SP 800-38D, additional authenticated data).
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from envoi.core import keys

PREFIX = "v1."


class SecretUnreadable(Exception):
    """The stored secret was not written with this installation's key, or was changed."""


def encrypt(plain: str, context: str) -> str:
    """The ciphertext of `plain`, readable again only with the same `context` and secret key. Empty stays empty."""
    if not plain:
        return ""
    nonce = os.urandom(12)
    sealed = AESGCM(keys.derive("secrets")).encrypt(nonce, plain.encode(), context.encode())
    return PREFIX + urlsafe_b64encode(nonce + sealed).decode()


def decrypt(stored: str, context: str) -> str:
    """The text that was encrypted.

    Raises:
        SecretUnreadable: wrong key, wrong context or damaged text.
    """
    if not stored:
        return ""
    try:
        raw = urlsafe_b64decode(stored.removeprefix(PREFIX))
        return AESGCM(keys.derive("secrets")).decrypt(raw[:12], raw[12:], context.encode()).decode()
    except (ValueError, InvalidTag) as error:
        raise SecretUnreadable("the stored secret cannot be read with this secret key; enter it again") from error
