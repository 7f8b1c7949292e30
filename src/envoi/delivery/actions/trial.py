"""Send one message at once, with the whole conversation written down, to see whether a transport works."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.core import clock, keys
from envoi.delivery import dkim
from envoi.delivery.hints import hint
from envoi.delivery.models import SenderIdentity, Transport
from envoi.delivery.relay import settings_of
from envoi.delivery.smtp import Accepted, Envelope, NotSent, Outcome, Pool, SmtpSettings, Timeouts, Unknown

# Somebody waits in front of the page; what a broadcast may wait for is longer.
TIMEOUTS = Timeouts(connect=10, greeting=15, command=15, data=15, body=30, dot=60, quit=2)


@dataclass(frozen=True, slots=True)
class Trial:
    """How it went.

    Attributes:
        answer: the server's last word, or what broke the conversation off.
        dialogue: ("C" us, "S" server, "*" a remark; the line), the password never among them.
    """

    outcome: Outcome
    answer: str
    hint: str | Promise
    dialogue: tuple[tuple[str, str], ...]

    @property
    def accepted(self) -> bool:
        return isinstance(self.outcome, Accepted)


def send(identity: SenderIdentity, to: str, *, transport: Transport | None = None, actor: User | None) -> Trial:
    """Send a test message from `identity` to the address `to`, over `transport` or else the identity's own.

    Raises:
        RelayNotReady: the sandbox does not run, or the stored password or DKIM key cannot be read.
    """
    transport = transport or identity.transport
    settings = replace(settings_of(transport), timeouts=TIMEOUTS)
    lines: list[tuple[str, str]] = []
    envelope = Envelope(identity.from_address, to, _message(identity, to))
    outcome = asyncio.run(_sent(settings, envelope, lines))
    answer = str(outcome.error if isinstance(outcome, NotSent | Unknown) else outcome.reply)
    with transaction.atomic():
        audit.record(actor, "test", transport, to=to, answer=answer[:500])
    return Trial(outcome, answer, hint(outcome), tuple(lines))


async def _sent(settings: SmtpSettings, envelope: Envelope, lines: list[tuple[str, str]]) -> Outcome:
    async with Pool(settings, max_connections=1, listener=lambda who, line: lines.append((who, line))) as pool:
        return await pool.send(envelope)


def _message(identity: SenderIdentity, to: str) -> bytes:
    ascii_only = identity.from_address.isascii() and to.isascii()
    message = EmailMessage(policy.SMTP if ascii_only else policy.SMTPUTF8)
    message["From"] = _address(identity.from_address, identity.from_name)
    message["To"] = _address(to)
    if identity.reply_to:
        message["Reply-To"] = _address(identity.reply_to)
    message["Subject"] = _("Test message from Envoi")
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{keys.random_key()}@{identity.from_address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(
        _("This message shows that Envoi can send. Nothing else was sent with it."), cte="quoted-printable"
    )
    return dkim.sign_one(message.as_bytes(), clock.now())


def _address(address: str, name: str = "") -> Address:
    local, _at, domain = address.rpartition("@")
    return Address(name, username=local, domain=domain)  # addr_spec= refuses international local parts
