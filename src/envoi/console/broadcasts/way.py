"""Which way a draft's e-mail would go now: over which transports, how fast, and what holds it up."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from envoi.broadcasts.models import Broadcast
from envoi.console.settings.sending import words
from envoi.core import clock
from envoi.delivery.limits import warm_up
from envoi.delivery.models import SenderIdentity, Transport
from envoi.delivery.queries.transports import standings
from envoi.instance import queries as instance
from envoi.instance.schema import TIME_ZONE


def way(broadcast: Broadcast) -> list[str]:
    """Sentences for the author; none for a draft without a sender."""
    identity = broadcast.identity
    if identity is None:
        return []
    routes = identity.routes.select_related("transport").order_by("pk")
    transports = [identity.transport, *(route.transport for route in routes)]
    found = [_over(one) for one in transports]
    found += [
        f"{one}: {standing.why}"
        for one, standing in zip(transports, standings(transports).values(), strict=True)
        if standing.why
    ]
    return found + _warming(identity)


def _over(transport: Transport) -> str:
    portions = words.portions_of(transport)
    if portions:
        return _("In portions over %(name)s: %(portions)s.") % {"name": transport, "portions": portions}
    limits = words.limits_of(transport)
    if limits:
        said = {"name": transport, "limits": ", ".join(limits)}
        return _("As soon as possible over %(name)s: %(limits)s.") % said
    return _("As soon as possible over %(name)s.") % {"name": transport}


def _warming(identity: SenderIdentity) -> list[str]:
    plan = words.plan_of(identity)
    number = warm_up.allowed(plan, clock.now().astimezone(ZoneInfo(instance.get(TIME_ZONE))).date()) if plan else None
    if number is None:
        return []
    shown = number_format(number, use_l10n=True, force_grouping=True)
    return [_("Warm-up: at most %(number)s messages today; the rest waits for the next days.") % {"number": shown}]
