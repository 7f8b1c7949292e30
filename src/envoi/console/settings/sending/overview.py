"""Sending at a glance: transports, senders and how each stands."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from envoi.accounts.permissions import Permission
from envoi.console.access import SignedInRequest, requires
from envoi.console.settings.sending import words
from envoi.delivery.models import DkimKey, SenderIdentity, Transport
from envoi.delivery.queries.sending import sender_doubt
from envoi.delivery.queries.transports import Standing, standings

# More than anybody has; the page stays quick whatever somebody does to it.
MOST = 200


@dataclass(frozen=True, slots=True)
class TransportRow:
    """One line of the transports."""

    transport: Transport
    standing: Standing
    limits: list[str]


@dataclass(frozen=True, slots=True)
class SenderRow:
    """One line of the senders.

    Attributes:
        further: names of the transports besides its own.
        doubt: see `sender_doubt`.
        keys: the DKIM keys of its domain.
        warming: what its warm-up allows today.
    """

    identity: SenderIdentity
    further: list[str]
    doubt: str
    keys: list[DkimKey]
    warming: str


@requires(Permission.MANAGE_SETTINGS)
@require_safe
def sending(request: SignedInRequest) -> HttpResponse:
    """Every transport and every sender."""
    transports = list(Transport.objects.order_by("name")[:MOST])
    identities = list(
        SenderIdentity.objects.select_related("transport")
        .prefetch_related("routes__transport")
        .order_by("-is_default", "from_address", "pk")[:MOST]
    )
    keys = words.keys_by_domain(identities)
    stand, day = standings(transports), words.today()
    context = {
        "transports": [TransportRow(one, stand[one.pk], words.limits_of(one)) for one in transports],
        "senders": [
            SenderRow(
                one,
                [route.transport.name for route in one.routes.all()],
                sender_doubt(one),
                keys[words.domain_of(one)],
                words.warming_of(one, day),
            )
            for one in identities
        ],
        "only_sandbox": all(one.kind == Transport.Kind.SANDBOX for one in transports),
    }
    return render(request, "console/settings/sending/overview.html", context)
