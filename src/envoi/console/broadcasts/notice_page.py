"""A message's own page while it stands on dashboards and after: its numbers, and what can be done to it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from envoi.accounts.permissions import Permission, may
from envoi.broadcasts import channels
from envoi.broadcasts.actions import show
from envoi.broadcasts.errors import BroadcastError, NotReady
from envoi.broadcasts.models import Broadcast
from envoi.console.access import SignedInRequest, requires
from envoi.console.broadcasts import common
from envoi.console.broadcasts.cards import Card
from envoi.console.broadcasts.live import live_context
from envoi.console.broadcasts.notice_forms import LookForm, ScheduledForm
from envoi.console.broadcasts.notice_wizard import levels
from envoi.core import clock
from envoi.notices.models import Notice
from envoi.notices.queries import numbers as numbers_of


def page(request: SignedInRequest, shown: Broadcast, notice: Notice) -> HttpResponse:
    """The page; the view of a broadcast's page calls it."""
    context = _numbers(request, shown, notice) | {
        "channel": channels.get(shown.channel),
        "may_edit": may(request.user, Permission.EDIT_BROADCASTS),
        "plan": shown.plan,
    }
    if shown.mailing is not None:
        context |= live_context(request, shown, shown.mailing) | {"mails": True}
    return render(request, "console/broadcasts/notice/show.html", context)


@requires(Permission.VIEW)
@require_safe
def numbers(request: SignedInRequest, pk: int) -> HttpResponse:
    """The numbers of this moment: asked every few seconds while it stands."""
    shown, notice = found(pk)
    answer = render(request, "console/broadcasts/notice/numbers.html", _numbers(request, shown, notice))
    if request.GET.get("was", shown.status) != shown.status:
        answer["HX-Refresh"] = "true"
    return answer


@requires(Permission.SEND_BROADCASTS)
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: SignedInRequest, pk: int) -> HttpResponse:
    """Alter what it says or how long it stands; everybody sees that at once."""
    shown, notice = found(pk)
    kind = ScheduledForm if notice.starts_at > clock.now() else LookForm
    form = kind(request.POST) if request.method == "POST" else kind.of_notice(notice)
    if request.method == "POST" and form.is_valid():
        try:
            show.change_shown(shown, actor=request.user, **form.wording)
        except NotReady as error:
            for problem in error.problems:
                form.add_error(problem.field if problem.field in form.fields else None, problem.message)
        except BroadcastError as error:
            form.add_error(None, str(error))
        else:
            common.say(request, _("It is changed. Dashboards show it as it is now."))
            return common.show(shown)
    context = {"broadcast": shown, "form": form, "levels": levels(form["level"].value())}
    status = 422 if form.is_bound else 200
    return render(request, "console/broadcasts/notice/change.html", context, status=status)


@requires(Permission.SEND_BROADCASTS)
@require_POST
def end(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take it off dashboards now."""
    shown, _notice = found(pk)
    return _done(
        request, shown, lambda: show.end_early(shown, actor=request.user), _("It is on no dashboard any more.")
    )


@requires(Permission.SEND_BROADCASTS)
@require_POST
def withdraw(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take it back altogether."""
    shown, _notice = found(pk)
    return _done(request, shown, lambda: show.withdraw(shown, actor=request.user), _("It is withdrawn."))


def found(pk: int) -> tuple[Broadcast, Notice]:
    """The broadcast and its notice, or 404."""
    shown = common.found(pk)
    if shown.notice is None:
        raise Http404
    return shown, shown.notice


def _done(request: SignedInRequest, shown: Broadcast, change: Any, said: str) -> HttpResponse:
    try:
        change()
    except BroadcastError as error:
        common.say(request, str(error), messages.ERROR)
    else:
        common.say(request, said)
    return common.show(shown)


def _numbers(request: SignedInRequest, shown: Broadcast, notice: Notice) -> dict[str, Any]:
    return {
        "broadcast": shown,
        "notice": notice,
        "cards": _cards(shown, notice),
        "standing": shown.status == Broadcast.Status.SHOWING,
        "scheduled": notice.starts_at > clock.now(),
        "may_send": may(request.user, Permission.SEND_BROADCASTS),
    }


def _cards(shown: Broadcast, notice: Notice) -> list[Card]:
    now = numbers_of(notice)
    log = reverse("broadcasts:readers", kwargs={"pk": shown.pk})
    said = ngettext("%(number)s click in total.", "%(number)s clicks in total.", now.clicks)
    clicks = said % {"number": number_format(now.clicks, use_l10n=True)}
    cards = [
        Card(_("Seen"), "eye", now.seen, _("People on whose dashboard it was."), log),
        Card(_("Clicked"), "mouse", now.clicked, clicks, f"{log}?did=clicked"),
    ]
    if notice.dismissible or now.dismissed:
        cards.append(
            Card(_("Dismissed"), "eye-off", now.dismissed, _("They do not see it again."), f"{log}?did=dismissed")
        )
    if notice.must_acknowledge or now.acknowledged:
        note = _("They confirmed that they have read it.")
        cards.append(Card(_("Acknowledged"), "user-check", now.acknowledged, note, f"{log}?did=acknowledged"))
    return cards
