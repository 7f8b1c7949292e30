"""Change how mail leaves: the transport and the sender identity that the sending page shows as one thing.

Guarantees: both change or neither; a stored password is never shown, and never goes to another server or user than the
one it was entered for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.core import addresses, secrets
from envoi.core.events import announce
from envoi.delivery.events import SendingChanged
from envoi.delivery.models import SenderIdentity, Transport

_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?")
Problems = dict[str, str | Promise]


class SendingRefused(ValueError):
    """The settings cannot be used; `problems` names each field with what is wrong and what would do."""

    def __init__(self, problems: Mapping[str, str | Promise]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in problems.items()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Sending:
    """All that the page asks for.

    Attributes:
        password: None keeps the stored one, "" removes it.
    """

    kind: str
    from_address: str
    from_name: str = ""
    reply_to: str = ""
    host: str = ""
    port: int = 587
    security: str = Transport.Security.STARTTLS
    username: str = ""
    password: str | None = None
    max_connections: int = 4
    per_second: int | None = None
    per_hour: int | None = None


def change(identity: SenderIdentity, wanted: Sending, *, actor: User | None) -> None:
    """Store `wanted` on `identity` and its transport.

    Raises:
        SendingRefused: something does not fit; nothing is changed.
    """
    with transaction.atomic():
        transport = Transport.objects.select_for_update().get(pk=identity.transport_id)
        problems = _problems(transport, wanted)
        if problems:
            raise SendingRefused(problems)
        identity.from_name = wanted.from_name.strip()
        identity.from_address = addresses.parse(wanted.from_address).text
        identity.reply_to = addresses.parse(wanted.reply_to).text if wanted.reply_to.strip() else ""
        identity.save(update_fields=["from_name", "from_address", "reply_to"])
        _carry(transport, wanted)
        audit.record(
            actor,
            "change",
            transport,
            kind=transport.kind,
            host=transport.host,
            port=transport.port,
            security=transport.security,
            username=transport.username,
            password={None: "kept", "": "removed"}.get(wanted.password, "entered"),
            sender=str(identity),
        )
        announce(SendingChanged(transport.pk))
    identity.transport = transport


def _carry(transport: Transport, wanted: Sending) -> None:
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
    transport.max_connections = wanted.max_connections
    transport.per_second = wanted.per_second
    transport.per_hour = wanted.per_hour
    transport.save()


# Persian, Hindi and emoji families need them inside of words.
JOINERS = "\u200c\u200d"


def _problems(transport: Transport, wanted: Sending) -> Problems:
    problems: Problems = {}
    for field in ("from_address", "reply_to"):
        text = getattr(wanted, field)
        if not text.strip() and field == "reply_to":
            continue
        try:
            addresses.parse(text)
        except addresses.AddressError as error:
            problems[field] = str(error)
    for field in ("from_name", "username"):
        if any(not character.isprintable() and character not in JOINERS for character in getattr(wanted, field)):
            problems[field] = _("Leave out line breaks and control characters.")
    for field in ("max_connections", "per_second", "per_hour"):
        value = getattr(wanted, field)
        if value is not None and value < 1:
            problems[field] = _("Enter 1 or more, or leave it empty where there is no limit.")
    if wanted.max_connections > 50:
        problems["max_connections"] = _("Enter at most 50: most servers turn away far fewer than that.")
    if wanted.kind not in Transport.Kind.values:
        problems["kind"] = _("Choose the sandbox mailbox or an SMTP relay.")
    if wanted.kind == Transport.Kind.SMTP:
        problems |= _relay_problems(transport, wanted)
    return problems


def _relay_problems(transport: Transport, wanted: Sending) -> Problems:
    problems: Problems = {}
    host = wanted.host.strip().lower().rstrip(".")
    if not host:
        problems["host"] = _("Enter the name of the server, such as smtp.example.org.")
    elif not (_HOST.fullmatch(host) or _is_ip(host)):
        problems["host"] = _("Enter only the name of the server, such as smtp.example.org: no https://, no port.")
    if not 1 <= wanted.port <= 65535:
        problems["port"] = _("Enter a port from 1 to 65535; 587 and 465 are usual.")
    if wanted.security not in Transport.Security.values:
        problems["security"] = _("Choose one of the three ways to encrypt.")
    if wanted.username.strip() and wanted.security == Transport.Security.NONE and not _is_this_machine(host):
        problems["security"] = _(
            "A password is only sent encrypted. Choose STARTTLS or TLS, or leave the user name empty."
        )
    if wanted.password and not wanted.username.strip():
        problems["username"] = _("Enter the user name that this password belongs to.")
    if wanted.username.strip() and wanted.password is None:
        if not transport.password_encrypted:
            problems["password"] = _("Enter the password that belongs to this user name.")
        elif (host, wanted.username.strip()) != (transport.host, transport.username):
            problems["password"] = _("Enter the password again: the stored one was for %(user)s at %(host)s.") % {
                "user": transport.username,
                "host": transport.host,
            }
    if wanted.username.strip() and wanted.password == "":
        problems["password"] = _(
            "A user name needs a password. To send without signing in, empty the user name as well."
        )
    return problems


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_this_machine(host: str) -> bool:
    return host == "localhost" or (_is_ip(host) and ip_address(host).is_loopback)
