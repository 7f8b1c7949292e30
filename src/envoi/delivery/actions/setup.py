"""Make what every installation needs before it can send: a transport into the sandbox mailbox, and a sender."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from envoi.accounts.actions import audit
from envoi.delivery.models import SenderIdentity, Transport

NAME = "Main"


def ensure_defaults() -> SenderIdentity:
    """The default sender identity, made with its transport when there is none. May be called at every start."""
    with transaction.atomic():
        found = SenderIdentity.objects.select_related("transport").filter(is_default=True).order_by("pk").first()
        if found is not None:
            return found
        transport, _made = Transport.objects.get_or_create(name=NAME, defaults={"kind": Transport.Kind.SANDBOX})
        identity = SenderIdentity.objects.create(
            from_address=f"news@{_own_domain()}", transport=transport, is_default=True
        )
        audit.record(None, "create", identity)
    return identity


def _own_domain() -> str:
    """The host name readers know us by; a reserved one (RFC 2606) where it is no public name."""
    host = urlsplit(settings.ENVOI_BASE_URL).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return host if "." in host else "example.org"
    return "example.org"
