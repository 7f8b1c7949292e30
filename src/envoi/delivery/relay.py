"""From a stored transport to the settings with which the SMTP client reaches it."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from envoi.core import secrets, wording
from envoi.core.wording import WordedError
from envoi.delivery.models import Transport
from envoi.delivery.smtp import Security, SmtpSettings


class RelayNotReady(WordedError):
    """The transport cannot be used as it stands; the message says why and what to do."""


def settings_of(transport: Transport) -> SmtpSettings:
    """How to reach the server of `transport`.

    Raises:
        RelayNotReady: the sandbox does not run, or the stored password cannot be read.
    """
    if transport.kind == Transport.Kind.SANDBOX:
        return SmtpSettings("127.0.0.1", sandbox_port(), Security.NONE)
    try:
        password = secrets.decrypt(transport.password_encrypted, f"transport:{transport.pk}")
    except secrets.SecretUnreadable as error:
        raise RelayNotReady(
            wording.gettext(
                "The stored password of “%(name)s” cannot be read. Enter it again under Settings → Sending.",
                name=transport.name,
            )
        ) from error
    return SmtpSettings(
        transport.host,
        transport.port,
        Security(transport.security),
        username=transport.username,
        password=password,
        ehlo_name=own_name(),
    )


def own_name() -> str:
    """The public host name under which this installation is known, for EHLO and the first sender; "" if none."""
    host = urlsplit(settings.ENVOI_BASE_URL).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return host if "." in host else ""
    return ""


def sandbox_port() -> int:
    """Where the sandbox mailbox listens: ENVOI_SANDBOX_PORT, or what it wrote into the data folder.

    Raises:
        RelayNotReady: neither is there.
    """
    try:
        return int(os.environ.get("ENVOI_SANDBOX_PORT") or Path(settings.ENVOI_DATA, "sandbox.port").read_text())
    except (OSError, ValueError) as error:
        raise RelayNotReady(
            wording.gettext("The sandbox mailbox is not running. Start Envoi with “envoi up”.")
        ) from error
