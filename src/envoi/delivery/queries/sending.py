"""Who sends, and over what."""

from __future__ import annotations

from envoi.core import addresses
from envoi.delivery.models import SenderIdentity, Transport
from envoi.delivery.providers import FREE_MAIL

# RFC 2606, RFC 6761: names that belong to nobody.
RESERVED = ("example", "test", "invalid", "localhost", "example.com", "example.net", "example.org")


def default_identity() -> SenderIdentity | None:
    """The sender that broadcasts come from unless another is chosen, with its transport."""
    return SenderIdentity.objects.select_related("transport").filter(is_default=True).order_by("pk").first()


def sender_over(transport: Transport) -> SenderIdentity | None:
    """A sender whose mail goes over `transport`, or else the default one: whom a test message comes from."""
    named = SenderIdentity.objects.filter(transport=transport) | SenderIdentity.objects.filter(
        routes__transport=transport
    )
    return named.distinct().order_by("-is_default", "pk").first() or default_identity()


def sender_doubt(identity: SenderIdentity) -> str:
    """Why mail with this From address may not arrive: "free" mailbox domain, "reserved" name, or "" for no doubt."""
    if identity.transport.kind == Transport.Kind.SANDBOX:
        return ""
    domain = addresses.key_of(identity.from_address).rpartition("@")[2]
    if domain in FREE_MAIL:
        return "free"
    return "reserved" if any(domain == name or domain.endswith(f".{name}") for name in RESERVED) else ""
