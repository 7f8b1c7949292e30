"""What the views of broadcasts share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from envoi.broadcasts.actions.draft import NotADraft
from envoi.broadcasts.models import Broadcast
from envoi.console.access import SignedInRequest

DraftView = Callable[[SignedInRequest, Broadcast], HttpResponse]
STEPS = ("targets", "content", "review")


def found(pk: int) -> Broadcast:
    """The broadcast, or 404."""
    return get_object_or_404(
        Broadcast.objects.select_related("audience", "layout", "identity", "mailing", "notice", "plan"), pk=pk
    )


def of_draft(view: DraftView) -> Callable[..., HttpResponse]:
    """Hand the view the draft; a broadcast that has started, perhaps just now, is shown on its own page instead."""

    @wraps(view)
    def answered(request: SignedInRequest, pk: int) -> HttpResponse:
        broadcast = found(pk)
        if not broadcast.is_draft:
            return show(broadcast)
        try:
            return view(request, broadcast)
        except NotADraft as error:
            say(request, str(error), messages.WARNING)
            return show(broadcast)

    return answered


def step(request: HttpRequest, name: str, broadcast: Broadcast) -> HttpResponse:
    """On to the step `name` of the wizard, or where the pressed button leads (`next`: a step, or "later" to leave)."""
    asked = request.POST.get("next", "")
    if asked == "later":
        say(request, _("The draft is kept. Open it here to go on."))
        return redirect("broadcasts:list")
    return redirect(f"broadcasts:{asked if asked in STEPS else name}", pk=broadcast.pk)


def show(broadcast: Broadcast) -> HttpResponse:
    """To the broadcast's own page."""
    return redirect("broadcasts:show", pk=broadcast.pk)


def say(request: HttpRequest, text: str, level: int = messages.SUCCESS) -> None:
    """Show `text` on the next page."""
    messages.add_message(request, level, text)
