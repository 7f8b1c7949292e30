"""Usual providers of SMTP relays: where they listen and what they want as user name. From their own setup pages."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Provider:
    """What fills the form. `username` only where it is the same for everybody."""

    key: str
    name: str
    host: str
    port: int = 587
    security: str = "starttls"
    username: str = ""
    note: str | Promise = ""


_KEY_AS_PASSWORD = _(
    "User name and password are the SMTP credentials of your account there, not what you sign in with."
)
_APP_PASSWORD = _("Needs an app password (two-step verification must be on), not your own password.")

PROVIDERS = (
    Provider("ses", "Amazon SES", "email-smtp.eu-west-1.amazonaws.com", note=_("Put your own region into the host.")),
    Provider("brevo", "Brevo", "smtp-relay.brevo.com", note=_KEY_AS_PASSWORD),
    Provider("fastmail", "Fastmail", "smtp.fastmail.com", 465, "tls", note=_APP_PASSWORD),
    Provider("google", "Gmail, Google Workspace", "smtp.gmail.com", note=_APP_PASSWORD),
    Provider("google-relay", "Google Workspace SMTP relay", "smtp-relay.gmail.com"),
    Provider("mailgun", "Mailgun", "smtp.mailgun.org", note=_("In the EU region the host is smtp.eu.mailgun.org.")),
    Provider("mailjet", "Mailjet", "in-v3.mailjet.com", note=_("User name is the API key, password the secret key.")),
    Provider("mandrill", "Mailchimp Transactional (Mandrill)", "smtp.mandrillapp.com", note=_KEY_AS_PASSWORD),
    Provider(
        "microsoft", "Microsoft 365", "smtp.office365.com", note=_("SMTP sign-in must be allowed for the mailbox.")
    ),
    Provider(
        "postmark",
        "Postmark, broadcasts",
        "smtp-broadcasts.postmarkapp.com",
        note=_("User name and password are the token of the message stream."),
    ),
    Provider("sendgrid", "SendGrid", "smtp.sendgrid.net", username="apikey", note=_("Password is an API key.")),
    Provider("sparkpost", "SparkPost", "smtp.sparkpostmail.com", username="SMTP_Injection", note=_KEY_AS_PASSWORD),
)

# Domains of free mailboxes: their owners tell everybody (by DMARC) to refuse or file as spam what others send in their
# name, so a broadcast that says it comes from there does not arrive.
_FREE_MAIL = (
    "aol.com gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hotmail.com hotmail.co.uk hotmail.fr "
    "icloud.com laposte.net live.com mac.com mail.ru me.com msn.com orange.fr outlook.com outlook.fr proton.me "
    "protonmail.com t-online.de web.de yahoo.com yahoo.co.uk yahoo.de yahoo.fr yandex.ru ymail.com zoho.com"
)
FREE_MAIL = frozenset(_FREE_MAIL.split())


def find(key: str) -> Provider | None:
    """The provider of this key."""
    return next((provider for provider in PROVIDERS if provider.key == key), None)
