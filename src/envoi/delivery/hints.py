"""What a failed attempt to send means, in words, with the remedy. For the sending page and the health check."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from envoi.delivery.smtp import FaultKind, NotSent, Outcome, Phase, Refused, Reply, SenderRefused, Unknown

_FAULTS: dict[FaultKind, Promise] = {
    FaultKind.UNKNOWN_NAME: _("There is no server of this name. Check the host for a typing error."),
    FaultKind.NO_LOOKUP: _("The name server of this machine does not answer. Envoi tries again by itself."),
    FaultKind.UNREACHABLE: _(
        "Nothing answers at this host and port. Check the port (587 and 465 are usual); many hosting companies block "
        "port 25."
    ),
    FaultKind.TIMEOUT: _(
        "The server did not answer in time. A firewall may be in the way, or the port speaks another language: port "
        "465 wants “TLS from the start”, port 587 wants STARTTLS."
    ),
    FaultKind.DROPPED: _(
        "The server ended the connection without a word. It may not take mail from this address, or want another way "
        "to encrypt."
    ),
    FaultKind.GARBAGE: _("What answers there is no mail server. Check host and port."),
    FaultKind.NO_STARTTLS: _(
        "This port offers no encryption. Try port 465 with “TLS from the start”, or ask your provider. Envoi never "
        "goes on without encryption when you asked for it."
    ),
    FaultKind.TLS_NAME: _(
        "The server’s certificate is for another name. Enter the host as your provider writes it, not an IP address or "
        "an alias."
    ),
    FaultKind.TLS_UNTRUSTED: _(
        "The server’s certificate has expired or nobody known vouches for it. If the server is your own, give it a "
        "certificate from a public authority."
    ),
    FaultKind.TLS: _("No encrypted connection came about. Port 465 wants “TLS from the start”, port 587 STARTTLS."),
    FaultKind.NO_MECHANISM: _(
        "There is no way to sign in that is safe here. Turn encryption on; if it is on, the server may take no sign-in "
        "on this port: then leave user name and password empty."
    ),
}


def hint(outcome: Outcome) -> str | Promise:
    """One or two sentences, or "" when there is nothing to say beyond the server's own words."""
    match outcome:
        case SenderRefused(reply, phase) | Refused(reply, phase):
            return _of_refusal(reply, phase)
        case NotSent(error):
            return _FAULTS.get(error.kind, "")
        case Unknown():
            return _("The server had the whole message but never answered: it may have been sent. Look for it.")
    return ""


def _of_refusal(reply: Reply, phase: Phase) -> str | Promise:
    text = reply.text.lower()
    if "starttls" in text and phase < Phase.DATA:  # RFC 3207, 4: 530 Must issue a STARTTLS command first
        return _("The server wants encryption. Choose STARTTLS, or “TLS from the start” with port 465.")
    if reply.code < 500 and phase > Phase.EHLO:
        return _("The server says that this is for now only. Wait some minutes and send the test again.")
    if phase == Phase.AUTH or reply.code in {530, 534, 535, 538}:
        return _(
            "The server did not accept user name and password. Enter them again without blanks around them; Google, "
            "Microsoft and others want an app password or SMTP credentials instead of your own password."
        )
    if phase > Phase.DATA:
        return _("The server read the message and refused it; its own words say why.")
    if "relay" in text or reply.status == "5.7.1":
        return _(
            "The server does not carry mail for us. It may want you to sign in (user name and password), or to allow "
            "this machine, or the From address to be one of its own."
        )
    if phase == Phase.MAIL or reply.status in {"5.7.60", "5.1.7", "5.1.8"}:
        return _("The server does not accept the From address. Use one that belongs to your account there.")
    if phase <= Phase.EHLO:
        return _("The server refused the connection. It may not take mail from this machine’s address.")
    if phase == Phase.RCPT:
        return _("The server accepted the sender but not this recipient. Try another address.")
    return _("The server refused the message before it had read it; its own words say why.")
