"""What is wrong with the settings of a transport or a sender identity: each field with what would do instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from envoi.core import addresses
from envoi.delivery.models import SenderIdentity, Transport

if TYPE_CHECKING:
    from envoi.delivery.actions.senders import SenderValues
    from envoi.delivery.actions.transports import TransportValues

Problems = dict[str, str | Promise]

_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?")
# Persian, Hindi and emoji families need them inside of words.
JOINERS = "\u200c\u200d"
# What the columns of both databases hold.
MOST = 2_147_483_647
MOST_SMALL = 32_767
A_WEEK = 7 * 24 * 60


class SendingRefused(ValueError):
    """The settings cannot be used; `problems` names each field with what is wrong and what would do."""

    def __init__(self, problems: Mapping[str, str | Promise]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in problems.items()))
        self.problems = dict(problems)


def refuse(found: Problems) -> None:
    """Raise `SendingRefused` when something was found."""
    if found:
        raise SendingRefused(found)


class InUse(Exception):
    """It cannot be removed; the message says what uses it and what to do."""


def of_transport(transport: Transport, wanted: TransportValues) -> Problems:
    """Why `wanted` cannot be stored on `transport`, which may be a new one."""
    problems: Problems = {}
    name = wanted.name.strip()
    if not name:
        problems["name"] = _("Give it a name by which you know it.")
    elif Transport.objects.filter(name__iexact=name).exclude(pk=transport.pk).exists():
        problems["name"] = _("There is already a transport with this name. Choose another.")
    problems |= _unprintable({"name": wanted.name, "username": wanted.username})
    if wanted.kind not in Transport.Kind.values:
        problems["kind"] = _("Choose the sandbox mailbox or an SMTP relay.")
    problems |= of_limits(wanted)
    if wanted.kind == Transport.Kind.SMTP:
        problems |= _of_relay(transport, wanted)
    return problems


def of_limits(wanted: TransportValues) -> Problems:
    """Why these limits of a transport cannot be kept."""
    problems: Problems = {}
    for field in ("max_connections", "messages_per_connection", "per_second", "per_hour", "portion", "portion_minutes"):
        value = getattr(wanted, field)
        if value is not None and value < 1:
            problems[field] = _("Enter 1 or more, or leave it empty where there is no limit.")
        elif value is not None and value > MOST:
            problems[field] = _("Enter a smaller number, or leave it empty where there is no limit.")
    if wanted.max_connections > 50:
        problems["max_connections"] = _("Enter at most 50: most servers turn away far fewer than that.")
    if wanted.portion_minutes is not None and wanted.portion_minutes > A_WEEK:
        problems["portion_minutes"] = _("Enter at most 10080, which is a week.")
    if wanted.open_from is None and wanted.open_until is not None:
        problems["open_from"] = _("Enter both times, or none to send at any hour.")
    elif wanted.open_until is None and wanted.open_from is not None:
        problems["open_until"] = _("Enter both times, or none to send at any hour.")
    elif wanted.open_from is not None and wanted.open_from == wanted.open_until:
        problems["open_until"] = _("Enter a time other than the first, or leave both empty to send at any hour.")
    if not wanted.open_days:
        problems["open_days"] = _("Choose at least one day.")
    elif not set(wanted.open_days) <= set("1234567"):
        problems["open_days"] = _("Choose from the seven days of the week.")
    if wanted.release not in Transport.Release.values:
        problems["release"] = _("Choose one of the two.")
    elif wanted.release == Transport.Release.QUEUED and wanted.portion is None:
        problems["portion"] = _("Enter how many messages may leave in one run.")
    return problems


def _of_relay(transport: Transport, wanted: TransportValues) -> Problems:
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
    return problems | _of_signing_in(transport, wanted, host)


def _of_signing_in(transport: Transport, wanted: TransportValues, host: str) -> Problems:
    user = wanted.username.strip()
    problems: Problems = {}
    if user and wanted.security == Transport.Security.NONE and not _is_this_machine(host):
        problems["security"] = _(
            "A password is only sent encrypted. Choose STARTTLS or TLS, or leave the user name empty."
        )
    if wanted.password and not user:
        problems["username"] = _("Enter the user name that this password belongs to.")
    if user and wanted.password is None:
        if not transport.password_encrypted:
            problems["password"] = _("Enter the password that belongs to this user name.")
        elif (host, user) != (transport.host, transport.username):
            problems["password"] = _("Enter the password again: the stored one was for %(user)s at %(host)s.") % {
                "user": transport.username,
                "host": transport.host,
            }
    if user and wanted.password == "":
        problems["password"] = _(
            "A user name needs a password. To send without signing in, empty the user name as well."
        )
    return problems


def of_sender(identity: SenderIdentity, wanted: SenderValues) -> Problems:
    """Why `wanted` cannot be stored on `identity`, which may be a new one."""
    problems = _unprintable({"from_name": wanted.from_name})
    for field in ("from_address", "reply_to"):
        text = getattr(wanted, field)
        if not text.strip() and field == "reply_to":
            continue
        try:
            addresses.parse(text)
        except addresses.AddressError as error:
            problems[field] = str(error)
    return problems | _of_routes(wanted) | _of_warm_up(wanted)


def _of_routes(wanted: SenderValues) -> Problems:
    further = [transport for transport, _weight in wanted.routes]
    named = {wanted.transport, *further}
    if Transport.objects.filter(pk__in=named).count() < len(named):
        return {"transport": _("Choose a transport that exists.")}
    weights = [wanted.weight, *(weight for _transport, weight in wanted.routes)]
    problems: Problems = {}
    if len(named) <= len(further):
        problems["routes"] = _("Name each transport once.")
    if not all(0 <= weight <= MOST_SMALL for weight in weights):
        problems["routes"] = _("Enter shares from 0 to %(most)d.") % {"most": MOST_SMALL}
    elif not any(weights):
        problems["weight"] = _("At least one transport needs a share above 0: it carries what the others do not.")
    return problems


def _of_warm_up(wanted: SenderValues) -> Problems:
    if wanted.warm_up_from is None:
        return {}
    problems: Problems = {}
    if not 1 <= wanted.warm_up_first <= MOST:
        problems["warm_up_first"] = _("Enter how many messages the first day allows, such as 200.")
    if not 1 <= wanted.warm_up_growth <= 1000:
        problems["warm_up_growth"] = _("Enter a growth from 1 to 1000 percent, such as 50.")
    if not wanted.warm_up_first <= wanted.warm_up_until <= MOST:
        problems["warm_up_until"] = _("Enter at least as many as on the first day.")
    return problems


def _unprintable(texts: Mapping[str, str]) -> Problems:
    return {
        field: _("Leave out line breaks and control characters.")
        for field, text in texts.items()
        if any(not character.isprintable() and character not in JOINERS for character in text)
    }


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_this_machine(host: str) -> bool:
    return host == "localhost" or (_is_ip(host) and ip_address(host).is_loopback)
