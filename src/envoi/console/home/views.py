"""The start page: what to do next, what was sent lately, how many people there are."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from envoi.accounts.permissions import Permission, may
from envoi.audiences.models import List, Product
from envoi.broadcasts import queries as broadcasts
from envoi.console.access import SignedInRequest, requires
from envoi.console.home.steps import steps
from envoi.contacts.models import Contact, Suppression
from envoi.core import clock
from envoi.delivery.models import Delivery, Tally
from envoi.notices.queries import numbers_of
from envoi.reports.queries import headlines

# Above this the page says "10,000+": counting further would read the whole table each time somebody looks.
COUNTED = 10_000


@requires(Permission.VIEW)
@require_safe
def dashboard(request: SignedInRequest) -> HttpResponse:
    recent = list(broadcasts.search().order_by("-created_at", "-id")[:6])
    numbers = headlines([one.mailing_id for one in recent if one.mailing_id])
    seen = numbers_of([one.notice_id for one in recent if one.notice_id])
    to_do = steps(request.user)
    context = {
        "steps": to_do,
        "done": sum(step.done for step in to_do),
        "welcome": not all(step.done for step in to_do),
        "recent": [(one, numbers.get(one.mailing_id or 0), seen.get(one.notice_id or 0)) for one in recent],
        "contacts": Contact.objects.all()[: COUNTED + 1].count(),
        "suppressed": Suppression.objects.all()[: COUNTED + 1].count(),
        "lists": List.objects.all()[: COUNTED + 1].count(),
        "products": Product.objects.all()[: COUNTED + 1].count(),
        "sent": _sent_lately(),
        "counted": COUNTED,
        "may_write": may(request.user, Permission.EDIT_BROADCASTS),
    }
    return render(request, "console/home/dashboard.html", context)


def _sent_lately() -> int:
    since = clock.now() - timedelta(days=30)
    tallies = Tally.objects.filter(state=Delivery.State.SENT, minute__gte=since)
    return tallies.aggregate(number=Sum("count"))["number"] or 0
