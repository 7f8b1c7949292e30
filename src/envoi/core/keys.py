"""Keys for separate uses, derived from the one secret key (HKDF, RFC 5869), and random identifiers."""

from __future__ import annotations

import secrets
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


@lru_cache(maxsize=64)
def _derive(secret: str, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"envoi:{purpose}".encode()).derive(secret.encode())


def derive(purpose: str) -> bytes:
    """32 bytes for one `purpose`; another purpose's key says nothing about them."""
    return _derive(settings.SECRET_KEY, purpose)


def random_key() -> str:
    """16 hexadecimal characters (64 random bits): names a row to the outside where a number would tell too much."""
    return secrets.token_hex(8)
