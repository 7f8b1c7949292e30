"""The list of broadcasts."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from envoi.accounts.permissions import Permission, may
from envoi.broadcasts import channels, queries
from envoi.broadcasts.channels import Channel
from envoi.broadcasts.models import Broadcast
from envoi.console.access import SignedInRequest, requires
from envoi.core.pagination import paginate
from envoi.reports.queries import Headline, headlines

ORDERS = {
    "newest": (_("Newest first"), ("-created_at", "-id")),
    "oldest": (_("Oldest first"), ("created_at", "id")),
    "subject": (_("By subject"), ("subject", "id")),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list; `numbers` is None for a draft."""

    broadcast: Broadcast
    channel: Channel
    numbers: Headline | None


@requires(Permission.VIEW)
@require_safe
def broadcasts(request: SignedInRequest) -> HttpResponse:
    """Every broadcast: searched, filtered, sorted, a page at a time, with the numbers of those shown."""
    query, status = request.GET.get("q", ""), request.GET.get("status", "")
    channel, sort = request.GET.get("type", ""), request.GET.get("sort", "")
    sort = sort if sort in ORDERS else "newest"
    rows = queries.search(query, status, channel)
    page = paginate(rows, ORDERS[sort][1], request.GET.get("cursor", ""), size=25)
    numbers = headlines([one.mailing_id for one in page.rows if one.mailing_id])
    context = {
        "page": page,
        "rows": [Row(one, channels.get(one.channel), numbers.get(one.mailing_id or 0)) for one in page.rows],
        "filtered": bool(query or status or channel),
        "q": query,
        "status": status,
        "type": channel,
        "sort": sort,
        "sorts": [(name, label) for name, (label, _order) in ORDERS.items()],
        "statuses": Broadcast.Status.choices,
        "channels": channels.offered(),
        "may_edit": may(request.user, Permission.EDIT_BROADCASTS),
    }
    return render(request, "console/broadcasts/list.html", context)
