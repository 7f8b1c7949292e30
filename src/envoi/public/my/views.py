"""What customers see and decide."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from envoi.broadcasts.titles import titles
from envoi.contacts.models import Suppression
from envoi.core import clock
from envoi.core.pagination import paginate
from envoi.customers import queries
from envoi.customers.actions import deciding
from envoi.customers.models import SignIn
from envoi.notices import actions, identity
from envoi.notices import queries as notices
from envoi.notices.queries import stamps
from envoi.public.my.visits import customers, page
from envoi.tracking import links

# The page's signature for its script; whoever stays longer loads the page again.
VOUCHED_FOR = 12 * 3600
MESSAGES = 20


@require_safe
@customers
def home(request: HttpRequest, visit: SignIn) -> HttpResponse:
    now = clock.now()
    everything = notices.shown_to(visit.contact_id, now=now, limit=0)
    most = 0 if request.GET.get("all") else stamps.limits()[1]
    shown = everything[:most] if most else everything
    context = {
        "notices": shown,
        "more": len(everything) - len(shown),
        "memberships": queries.memberships(visit.contact),
        "claim": identity.own_claim(visit.contact_id, int(now.timestamp()) + VOUCHED_FOR),
        "contact": visit.contact,
    }
    return page(request, "home", {**context, "place": "home"})


@require_safe
@customers
def past(request: HttpRequest, visit: SignIn) -> HttpResponse:
    """Notices that are over, and e-mails that were sent."""
    cursor = request.GET.get("cursor", "")
    found = paginate(queries.messages(visit.contact), ("-id",), cursor, MESSAGES)
    names = titles(found.rows)
    sent = [(links.webview_url(one.pk), names[one.pk], one.state_at) for one in found.rows if one.pk in names]
    over = [] if cursor else notices.past(visit.contact_id, now=clock.now())
    return page(request, "past", {"over": over, "sent": sent, "page": found, "place": "past", "contact": visit.contact})


@require_http_methods(["GET", "HEAD", "POST"])
@customers
def preferences(request: HttpRequest, visit: SignIn) -> HttpResponse:
    """POST: the lists that are ticked."""
    if request.method == "POST":
        ticked = {int(value) for value in request.POST.getlist("list") if value.isascii() and value.isdigit()}
        deciding.choose_lists(visit.contact, ticked)
        return _saved("choice")
    suppressed = queries.suppression(visit.contact)
    context = {
        "subscriptions": queries.subscriptions(visit.contact),
        "stopped": suppressed is not None,
        "by_themselves": suppressed is not None and suppressed.reason == Suppression.Reason.UNSUBSCRIBED,
        "place": "preferences",
        "saved": request.GET.get("saved", ""),
        "contact": visit.contact,
    }
    return page(request, "preferences", context)


@require_POST
@customers
def language(request: HttpRequest, visit: SignIn) -> HttpResponse:
    saved = deciding.choose_language(visit.contact, request.POST.get("language", ""))
    return _saved("choice" if saved else "")


@require_POST
@customers
def all_mail(request: HttpRequest, visit: SignIn) -> HttpResponse:
    """Stop everything, or take that back."""
    if request.POST.get("choice") == "back":
        return _saved("back" if deciding.allow_again(visit.contact) else "")
    deciding.stop_everything(visit.contact)
    return _saved("stopped")


def _saved(what: str) -> HttpResponse:
    return redirect(reverse("public:my-preferences") + (f"?saved={what}" if what else ""))


def _doing(act: Callable[[str, int], bool]) -> Callable[..., HttpResponse]:
    @require_POST
    @customers
    def done(request: HttpRequest, visit: SignIn, key: str) -> HttpResponse:
        act(key, visit.contact_id)
        return redirect("public:my")

    return done


dismissal = _doing(actions.dismiss)
acknowledgement = _doing(actions.acknowledge)
