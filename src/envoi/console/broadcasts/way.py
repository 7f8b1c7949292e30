"""Which way a draft's e-mail would go now: over which transports, how fast, and what holds it up."""

from __future__ import annotations

from django.utils.translation import gettext as _

from envoi.broadcasts.models import Broadcast
from envoi.console.settings.sending import words
from envoi.delivery.models import Transport
from envoi.delivery.queries.transports import Condition, standings


def way(broadcast: Broadcast) -> list[str]:
    """Sentences for the author; none for a draft without a sender."""
    identity = broadcast.identity
    if identity is None:
        return []
    routes = identity.routes.select_related("transport").order_by("pk")
    transports = [identity.transport, *(route.transport for route in routes)]
    found = [_over(one) for one in transports]
    for one, standing in zip(transports, standings(transports).values(), strict=True):
        if standing.condition is Condition.PAUSED:
            found.append(_("“%(name)s” is paused: %(why)s") % {"name": one, "why": standing.why})
        elif standing.why:
            found.append(standing.why)
    if warming := words.warming_of(identity, words.today()):
        found.append(warming)
    return found


def _over(transport: Transport) -> str:
    portions = words.portions_of(transport)
    if portions:
        return _("In portions over %(name)s: %(portions)s.") % {"name": transport, "portions": portions}
    limits = words.limits_of(transport)
    if limits:
        said = {"name": transport, "limits": ", ".join(limits)}
        return _("As soon as possible over %(name)s: %(limits)s.") % said
    return _("As soon as possible over %(name)s.") % {"name": transport}
