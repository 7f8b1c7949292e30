"""Make what every installation needs before it can send: a transport into the sandbox mailbox, and a sender."""

from __future__ import annotations

from django.db import transaction

from envoi.accounts.actions import audit
from envoi.delivery.models import SenderIdentity, Transport
from envoi.delivery.relay import own_name

NAME = "Main"
# RFC 2606: belongs to nobody. The sending page says so as soon as a relay is set up.
PLACEHOLDER = "example.org"


def ensure_defaults() -> SenderIdentity:
    """The default sender identity, made with its transport when there is none. May be called at every start."""
    with transaction.atomic():
        found = SenderIdentity.objects.select_related("transport").filter(is_default=True).order_by("pk").first()
        if found is not None:
            return found
        transport, _made = Transport.objects.get_or_create(name=NAME, defaults={"kind": Transport.Kind.SANDBOX})
        identity = SenderIdentity.objects.create(
            from_address=f"news@{own_name() or PLACEHOLDER}", transport=transport, is_default=True
        )
        audit.record(None, "create", identity)
    return identity
