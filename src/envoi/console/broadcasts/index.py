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
from envoi.notices.queries import Numbers, numbers_of
from envoi.reports.queries import Headline, headlines

ORDERS = {"": ("-created_at", "-id"), "oldest": ("created_at", "id"), "subject": ("subject", "id")}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list; `numbers` is None without an e-mail, `seen` without a notice on dashboards."""

    broadcast: Broadcast
    channel: Channel
    numbers: Headline | None
    seen: Numbers | None


@requires(Permission.VIEW)
@require_safe
def broadcasts(request: SignedInRequest) -> HttpResponse:
    """Every broadcast: searched, filtered, sorted, a page at a time, with the numbers of those shown."""
    query, status, channel, sort = (request.GET.get(name, "") for name in ("q", "status", "type", "sort"))
    page = paginate(
        queries.search(query, status, channel), ORDERS.get(sort, ORDERS[""]), request.GET.get("cursor", ""), size=25
    )
    numbers = headlines([one.mailing_id for one in page.rows if one.mailing_id])
    seen = numbers_of([one.notice_id for one in page.rows if one.notice_id])
    context = {
        "page": page,
        "rows": [
            Row(one, channels.get(one.channel), numbers.get(one.mailing_id or 0), seen.get(one.notice_id or 0))
            for one in page.rows
        ],
        "filtered": bool(query or status or channel),
        "q": query,
        "filters": _filters(status, channel, sort),
        "may_edit": may(request.user, Permission.EDIT_BROADCASTS),
    }
    return render(request, "console/broadcasts/list.html", context)


def _filters(status: str, channel: str, sort: str) -> list[dict[str, object]]:
    offered = [(one.name, one.label) for one in channels.offered()]
    orders = [("oldest", _("Oldest first")), ("subject", _("By subject"))]
    filters: list[dict[str, object]] = [
        {"name": "status", "label": _("Any status"), "choices": Broadcast.Status.choices, "value": status},
        {"name": "type", "label": _("Any type"), "choices": offered, "value": channel},
        {"name": "sort", "label": _("Newest first"), "choices": orders, "value": sort},
    ]
    return [one for one in filters if one["name"] != "type" or len(offered) > 1]
