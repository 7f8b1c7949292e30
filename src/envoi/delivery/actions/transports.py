"""Add, change and remove transports.

Guarantees: a stored password is never shown, and never goes to another server or user than the one it was entered for;
a transport that something uses is not removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

from django.db import transaction
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.core import secrets
from envoi.core.events import announce
from envoi.delivery.actions import problems
from envoi.delivery.actions.removing import remove_unneeded
from envoi.delivery.actions.standstill import wake_waiting
from envoi.delivery.events import SendingChanged
from envoi.delivery.models import Mailing, SenderIdentity, Transport


@dataclass(frozen=True, slots=True)
class TransportValues:
    """All that may be set on a transport.

    Attributes:
        password: None keeps the stored one, "" removes it.
        open_from, open_until: both or none, in the installation's time zone.
        open_days: ISO 8601 numbers of the days; 1 is Monday.
    """

    name: str
    kind: str
    host: str = ""
    port: int = 587
    security: str = Transport.Security.STARTTLS
    username: str = ""
    password: str | None = None
    max_connections: int = 4
    messages_per_connection: int = 500
    per_second: int | None = None
    per_hour: int | None = None
    open_from: time | None = None
    open_until: time | None = None
    open_days: str = "1234567"
    release: str = Transport.Release.IMMEDIATE
    portion: int | None = None
    portion_minutes: int | None = None


LIMITS = (
    "max_connections", "messages_per_connection", "per_second", "per_hour", "open_from", "open_until", "open_days",
    "release", "portion", "portion_minutes",
)  # fmt: skip


def add(wanted: TransportValues, *, actor: User | None) -> Transport:
    """A new transport. It carries nothing until a sender identity names it.

    Raises:
        SendingRefused: something does not fit; nothing is stored.
    """
    with transaction.atomic():
        transport = Transport()
        problems.refuse(problems.of_transport(transport, wanted))
        transport.name = wanted.name.strip()
        # The password is encrypted for this row alone, so the row has to be there first.
        transport.save()
        _carry(transport, wanted)
        audit.record(actor, "create", transport, **_told(transport, wanted))
        announce(SendingChanged(transport.pk))
    return transport


def change(transport: Transport, wanted: TransportValues, *, actor: User | None) -> Transport:
    """Store `wanted` on `transport`; workers follow within seconds.

    Raises:
        SendingRefused: something does not fit; nothing is changed.
    """
    with transaction.atomic():
        current = Transport.objects.select_for_update().get(pk=transport.pk)
        problems.refuse(problems.of_transport(current, wanted))
        _carry(current, wanted)
        audit.record(actor, "change", current, **_told(current, wanted))
        announce(SendingChanged(current.pk))
        wake_waiting(current)
    return current


def remove(transport: Transport, *, actor: User | None) -> None:
    """Forget a transport and its password.

    Raises:
        InUse: a sender identity, a running mailing or the only way to send needs it.
    """
    with transaction.atomic():
        current = Transport.objects.select_for_update().get(pk=transport.pk)
        named = _("It is part of what was sent, and stays for the record. Pause it instead.")
        remove_unneeded(current, why_needed(current), named, actor=actor)


def why_needed(transport: Transport) -> str:
    """Why `transport` cannot be removed, for people; "" when it can."""
    users = SenderIdentity.objects.filter(transport=transport) | SenderIdentity.objects.filter(
        routes__transport=transport
    )
    names = [str(identity) for identity in users.distinct().order_by("from_address", "pk")[:4]]
    if names:
        return _("Mail from %(senders)s goes over it. Choose another transport there first.") % {
            "senders": ", ".join([*names[:3], "…"] if len(names) > 3 else names)
        }
    if Mailing.objects.filter(shifts__transport=transport).exists():
        return _("A broadcast is being sent over it just now. Wait until it has ended.")
    return ""


def _carry(transport: Transport, wanted: TransportValues) -> None:
    transport.name = wanted.name.strip()
    transport.kind = wanted.kind
    if wanted.kind == Transport.Kind.SMTP:
        transport.host = wanted.host.strip().lower().rstrip(".")
        transport.port = wanted.port
        transport.security = wanted.security
        transport.username = wanted.username.strip()
        if wanted.password is not None or not transport.username:
            transport.password_encrypted = secrets.encrypt(
                wanted.password or "" if transport.username else "", f"transport:{transport.pk}"
            )
    for field in LIMITS:
        setattr(transport, field, getattr(wanted, field))
    transport.open_days = "".join(sorted(set(wanted.open_days)))
    if transport.release == Transport.Release.IMMEDIATE:
        transport.portion = transport.portion_minutes = None
    transport.save()


def _told(transport: Transport, wanted: TransportValues) -> dict[str, object]:
    """For the audit log: where to, as whom, and the limits that are set; never the password."""
    told: dict[str, object] = {name: getattr(transport, name) for name in ("kind", "host", "port", "security")}
    told |= {"username": transport.username}
    told |= {"password": {None: "kept", "": "removed"}.get(wanted.password, "entered")}
    limits = {field: getattr(transport, field) for field in LIMITS}
    return told | {field: str(value) for field, value in limits.items() if value is not None}
