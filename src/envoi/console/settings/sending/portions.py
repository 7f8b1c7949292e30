"""The portions of a transport: how the present one stands, and the next one at once."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from envoi.accounts.permissions import Permission
from envoi.console.access import SignedInRequest, requires
from envoi.delivery.actions import portions as actions
from envoi.delivery.models import Transport
from envoi.delivery.queries.portions import portion_of


@requires(Permission.MANAGE_SETTINGS)
@require_POST
def portions(request: SignedInRequest, pk: int) -> HttpResponse:
    """Send the next portion now."""
    try:
        number = actions.send_next(get_object_or_404(Transport, pk=pk), actor=request.user)
    except actions.NotNow as error:
        messages.warning(request, str(error))
    else:
        text = ngettext(
            "The next portion leaves now: %(number)s message at most.",
            "The next portion leaves now: %(number)s messages at most.",
            number,
        )
        messages.success(request, text % {"number": intcomma(number)})
    return redirect(f"{reverse('settings:transport', args=[pk])}#portion")


@requires(Permission.MANAGE_SETTINGS)
@require_safe
def portion(request: SignedInRequest, pk: int) -> HttpResponse:
    """The part of the page that changes; it asks again by itself while a portion leaves."""
    found = get_object_or_404(Transport, pk=pk)
    return render(request, "console/settings/sending/_portion.html", {"transport": found, **stands(found)})


def stands(transport: Transport) -> dict[str, Any]:
    """What the page shows of a transport that sends in portions; nothing of one that does not."""
    if transport.release != Transport.Release.QUEUED:
        return {}
    found = portion_of(transport)
    return {"portion": found, "portion_why_not": actions.why_not(transport, found)}
