"""Whom we trust, and why a handshake failed."""

from __future__ import annotations

import ssl
from functools import lru_cache

from envoi.delivery.smtp.outcomes import Fault, FaultKind


@lru_cache(maxsize=1)
def system_context() -> ssl.SSLContext:
    """Reading the system's authorities takes 10 ms and more, so it is done once."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def tls_fault(error: ssl.SSLError, host: str) -> Fault:
    """A failed handshake with `host`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        name = (
            "hostname mismatch" in error.verify_message.lower() or "ip address mismatch" in error.verify_message.lower()
        )
        kind = FaultKind.TLS_NAME if name else FaultKind.TLS_UNTRUSTED
        return Fault(kind, f"the certificate is not good for {host}: {error.verify_message}")
    return Fault(FaultKind.TLS, f"TLS handshake with {host} failed: {error.reason or error}")
