"""Who saw a message, and what each did; and giving it back to somebody who dismissed it."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from envoi.accounts.permissions import Permission, may
from envoi.console.access import SignedInRequest, requires
from envoi.console.broadcasts import common
from envoi.console.broadcasts.notice_page import found
from envoi.core import csv_export
from envoi.core.pagination import paginate
from envoi.notices.actions import undo_dismissal
from envoi.notices.models import Notice, Reading
from envoi.notices.queries import readings

DID = (
    ("clicked", gettext_lazy("Clicked")),
    ("dismissed", gettext_lazy("Dismissed")),
    ("acknowledged", gettext_lazy("Acknowledged")),
    ("neither", gettext_lazy("Only seen")),
)
BATCH = 1000


@requires(Permission.VIEW)
@require_safe
def readers(request: SignedInRequest, pk: int) -> HttpResponse:
    """The log, a page at a time."""
    shown, notice = found(pk)
    did = request.GET.get("did", "")
    page = paginate(_chosen(request, notice), ("-id",), request.GET.get("cursor", ""), size=50)
    context = {
        "broadcast": shown,
        "page": page,
        "q": request.GET.get("q", ""),
        "choices": [{"name": "did", "label": _("Anything done"), "choices": DID, "value": did}],
        "may_export": may(request.user, Permission.EXPORT),
        "may_edit": may(request.user, Permission.EDIT_BROADCASTS),
        "query": request.GET.urlencode(),
    }
    return render(request, "console/broadcasts/notice/readers.html", context)


@requires(Permission.EXPORT)
@require_safe
def export(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The log as it is filtered, as a file, however long."""
    shown, notice = found(pk)
    header = [
        _("Address"), _("Name"), _("First seen"), _("Last seen"), _("Dismissed"), _("Acknowledged"), _("Clicks"),
    ]  # fmt: skip
    name = f"{slugify(str(shown)) or 'message'}-{shown.pk}-readers.csv"
    return csv_export.response(name, header, _exported(_chosen(request, notice)))


@requires(Permission.EDIT_BROADCASTS)
@require_POST
def undo(request: SignedInRequest, pk: int, reading: int) -> HttpResponse:
    """Show it again to one who dismissed it."""
    _shown, notice = found(pk)
    row = get_object_or_404(Reading.objects.select_related("contact"), pk=reading, notice=notice)
    undo_dismissal(row, actor=request.user)
    common.say(request, _("%(person)s sees it again, as long as it stands.") % {"person": row.contact})
    return redirect("broadcasts:readers", pk=pk)


def _chosen(request: HttpRequest, notice: Notice) -> QuerySet[Reading]:
    return readings(notice, search=request.GET.get("q", ""), did=request.GET.get("did", ""))


def _exported(rows: QuerySet[Reading]) -> Iterator[list[object]]:
    """One statement per thousand rows."""
    after = 0
    while batch := list(rows.filter(pk__gt=after).order_by("pk")[:BATCH]):
        after = batch[-1].pk
        for row in batch:
            moments = (row.first_seen_at, row.last_seen_at, row.dismissed_at, row.acknowledged_at)
            written = (moment.isoformat(timespec="seconds") if moment else "" for moment in moments)
            yield [row.contact.address, row.contact.name, *written, row.clicks]
