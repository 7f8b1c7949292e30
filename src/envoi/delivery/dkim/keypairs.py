"""Make and read key pairs: RSA with 2048 bits (RFC 8301 §3.2) and Ed25519 (RFC 8463)."""

from __future__ import annotations

from base64 import b64decode, b64encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from envoi.delivery.dkim.signing import SigningKey, digest
from envoi.delivery.models import DkimKey

BITS = 2048


def make(algorithm: str) -> tuple[str, str]:
    """A new pair: (private key as base64 of PKCS #8, public key as it stands in p= of the DNS record)."""
    key = Ed25519PrivateKey.generate() if algorithm == DkimKey.Algorithm.ED25519 else generate_private_key(65537, BITS)
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return b64encode(private).decode(), public_of(key)


def public_of(key: RSAPrivateKey | Ed25519PrivateKey) -> str:
    """The value of p=: base64 of SubjectPublicKeyInfo (RSA), of the bare key (Ed25519, RFC 8463 §4.2)."""
    public = key.public_key()
    if isinstance(key, Ed25519PrivateKey):
        return b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    return b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def signing_key(domain: str, selector: str, private: str) -> SigningKey:
    """What signs with a private key that `make` made."""
    # Checking the numbers of an RSA key takes a hundred times as long as a signature; we stored them under a seal.
    key = load_der_private_key(b64decode(private), None, unsafe_skip_rsa_key_validation=True)
    if isinstance(key, Ed25519PrivateKey):
        return SigningKey(domain, selector, "ed25519-sha256", lambda data: key.sign(digest(data)))
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("neither an RSA nor an Ed25519 key")
    padding, algorithm = PKCS1v15(), SHA256()
    return SigningKey(domain, selector, "rsa-sha256", lambda data: key.sign(data, padding, algorithm))
