"""A broadcast's own page: its progress while it is sent, its numbers after."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from envoi.accounts.permissions import Permission, may
from envoi.broadcasts import channels, showing
from envoi.console.access import SignedInRequest, requires
from envoi.console.broadcasts import common, notice_page
from envoi.console.broadcasts.cards import cards
from envoi.console.broadcasts.live import live_context
from envoi.reports import queries
from envoi.tracking import queries as tracking

# So few points make no line.
FEW = 4


@requires(Permission.VIEW)
@require_safe
def broadcast(request: SignedInRequest, pk: int) -> HttpResponse:
    """The page; a draft is opened where work on it was left."""
    shown = common.found(pk)
    may_edit = may(request.user, Permission.EDIT_BROADCASTS)
    if shown.notice is not None:
        return notice_page.page(request, shown, shown.notice)
    if shown.mailing is None:
        if may_edit:
            return redirect(f"broadcasts:{showing.resume_at(shown)}", pk=pk)
        return redirect("broadcasts:preview", pk=pk)
    live, did = live_context(request, shown, shown.mailing), queries.readers(shown.mailing)
    spans, daily = queries.over_time(tracking.hours(shown.mailing), timezone.get_current_timezone())
    context = live | {
        "channel": channels.get(shown.channel),
        "cards": cards(shown, live["progress"], did),
        "links": tracking.link_counts(shown.mailing),
        "chart": _chart(spans, daily),
        "spans": spans,
        "daily": daily,
        "may_edit": may_edit,
    }
    return render(request, "console/broadcasts/page/show.html", context)


@requires(Permission.VIEW)
@require_safe
def progress(request: SignedInRequest, pk: int) -> HttpResponse:
    """How far sending is: asked every second while it goes on; when that changes, the whole page is drawn anew."""
    shown = common.found(pk)
    if shown.mailing is None:
        return redirect("broadcasts:show", pk=pk)
    answer = render(request, "console/broadcasts/page/progress.html", live_context(request, shown, shown.mailing))
    if request.GET.get("was", shown.mailing_status) != shown.mailing_status:
        answer["HX-Refresh"] = "true"
    return answer


@requires(Permission.VIEW)
@require_safe
def numbers(request: SignedInRequest, pk: int) -> HttpResponse:
    """The cards alone, so that they do not stand still beside a bar that moves."""
    shown = common.found(pk)
    if shown.mailing is None:
        return redirect("broadcasts:show", pk=pk)
    live, did = live_context(request, shown, shown.mailing), queries.readers(shown.mailing)
    context = live | {"cards": cards(shown, live["progress"], did)}
    return render(request, "console/broadcasts/page/numbers.html", context)


def _chart(spans: list[queries.Span], daily: bool) -> dict[str, object] | None:
    if not spans:
        return None
    return {
        "type": "line" if len(spans) > FEW else "bar",
        "labels": [date_format(one.at, "SHORT_DATE_FORMAT" if daily else "SHORT_DATETIME_FORMAT") for one in spans],
        "series": [
            {"label": _("Opens"), "values": [one.opens for one in spans], "color": "primary"},
            {"label": _("Clicks"), "values": [one.clicks for one in spans], "color": "teal"},
        ],
    }
