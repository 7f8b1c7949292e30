"""The log: every recipient of a broadcast, what became of the message, what the reader did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from envoi.accounts.permissions import Permission, may
from envoi.broadcasts.models import Broadcast
from envoi.console.access import SignedInRequest, requires
from envoi.console.broadcasts import common
from envoi.core import csv_export, wording
from envoi.core.pagination import paginate
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.queries import log
from envoi.delivery.queries.ranges import show_who_is_being_sent
from envoi.delivery.queries.transports import names
from envoi.tracking import queries as tracking
from envoi.tracking.models import Activity

ACTIVITIES = (
    ("opened", gettext_lazy("Opened"), Activity.Type.OPEN),
    ("clicked", gettext_lazy("Clicked"), Activity.Type.CLICK),
    ("unsubscribed", gettext_lazy("Unsubscribed"), Activity.Type.UNSUBSCRIBE),
)
# "Being sent" stands for both states of that name, as `delivery.queries.log` reads it.
STATES = [(value, label) for value, label in Delivery.State.choices if value != Delivery.State.IN_DOUBT]
BATCH = 1000


@dataclass(frozen=True, slots=True)
class Filters:
    """What the log is narrowed down to."""

    q: str = ""
    state: str = ""
    reason: str = ""
    activity: str = ""
    link: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Filters:
        """As the address says."""
        return cls(*(request.GET.get(name, "") for name in ("q", "state", "reason", "activity", "link")))

    def applied(self, mailing: Mailing) -> QuerySet[Delivery]:
        """The rows of `mailing` that fit."""
        rows = log(mailing, search=self.q, state=self.state, reason=self.reason)
        if self.link.isdecimal():
            rows = tracking.who_did(rows, Activity.Type.CLICK, link=int(self.link))
        for name, _label, type_ in ACTIVITIES:
            if name == self.activity:
                rows = tracking.who_did(rows, type_)
        return rows


@requires(Permission.VIEW)
@require_safe
def recipients(request: SignedInRequest, pk: int) -> HttpResponse:
    """The log, a page at a time."""
    broadcast = common.found(pk)
    if broadcast.mailing is None:
        return redirect("broadcasts:show", pk=pk)
    filters = Filters.of(request)
    rows = filters.applied(broadcast.mailing).select_related("contact")
    page = paginate(rows, ("id",), request.GET.get("cursor", ""), size=50)
    did, over = tracking.did(page.rows), names({row.transport_id for row in page.rows})
    show_who_is_being_sent(page.rows)
    context = {
        "broadcast": broadcast,
        "page": page,
        "rows": [(row, did[row.pk], over.get(row.transport_id)) for row in page.rows],
        "filters": filters,
        "choices": _choices(filters),
        "may_export": may(request.user, Permission.EXPORT),
        "may_decide": filters.state == Delivery.State.UNKNOWN and may(request.user, Permission.SEND_BROADCASTS),
        "query": request.GET.urlencode(),
    }
    return render(request, "console/broadcasts/page/log.html", context)


def _choices(filters: Filters) -> list[dict[str, object]]:
    activities = [(name, label) for name, label, _type in ACTIVITIES]
    return [
        {"name": "state", "label": _("Any state"), "choices": STATES, "value": filters.state},
        {"name": "reason", "label": _("Any reason"), "choices": Delivery.SkipReason.choices, "value": filters.reason},
        {"name": "activity", "label": _("Any activity"), "choices": activities, "value": filters.activity},
    ]


@requires(Permission.EXPORT)
@require_safe
def export(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The log as it is filtered, as a file, however long."""
    broadcast = common.found(pk)
    if broadcast.mailing is None:
        return redirect("broadcasts:show", pk=pk)
    header = [
        _("Address"), _("Name"), _("State"), _("Reason"), _("Detail"), _("Server’s answer"), _("When"),
        _("Opened"), _("Clicked"), _("Unsubscribed"), _("By a machine"), _("Transport"),
    ]  # fmt: skip
    rows = _exported(Filters.of(request).applied(broadcast.mailing))
    return csv_export.response(f"{_file_name(broadcast)}.csv", header, rows)


def _exported(rows: QuerySet[Delivery]) -> Iterator[list[object]]:
    """A few statements per thousand rows, so that memory stays flat and no cursor is held while the reader is slow."""
    after = 0
    while batch := list(rows.filter(pk__gt=after).select_related("contact").order_by("pk")[:BATCH]):
        after, did = batch[-1].pk, tracking.did(batch)
        over = names({row.transport_id for row in batch})
        show_who_is_being_sent(batch)
        for row in batch:
            marks = did[row.pk]
            yield [
                row.address,
                row.contact.name if row.contact else "",
                row.get_state_display(),
                row.get_skip_reason_display() if row.skip_reason else "",
                wording.said(row.detail),
                answer(row),
                row.state_at.isoformat(timespec="seconds"),
                *(
                    _("yes") if mark else ""
                    for mark in (marks.opened, marks.clicked, marks.unsubscribed, marks.machine)
                ),
                over.get(row.transport_id, ""),
            ]


def answer(row: Delivery) -> str:
    """What the server said, in one line."""
    return " ".join(str(part) for part in (row.reply_code, row.reply_status, row.reply_text) if part)


def _file_name(broadcast: Broadcast) -> str:
    return f"{slugify(str(broadcast)) or 'broadcast'}-{broadcast.pk}"
