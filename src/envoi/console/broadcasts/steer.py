"""The buttons: send, pause, resume, cancel, duplicate, throw away. All POST, each one action."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from envoi.accounts.permissions import Permission
from envoi.broadcasts import noticing
from envoi.broadcasts.actions import draft, steer
from envoi.broadcasts.actions.send import send as send_action
from envoi.broadcasts.actions.show import show as show_action
from envoi.broadcasts.errors import BroadcastError
from envoi.console.access import SignedInRequest, requires
from envoi.console.broadcasts import common


@requires(Permission.SEND_BROADCASTS)
@require_POST
def send(request: SignedInRequest, pk: int) -> HttpResponse:
    """Send it, to the number of people that was confirmed."""
    broadcast = common.found(pk)
    confirmed = request.POST.get("confirmed", "")
    start = show_action if noticing.is_notice(broadcast) else send_action
    try:
        start(broadcast, actor=request.user, confirmed=int(confirmed) if confirmed.isdecimal() else None)
    except BroadcastError as error:
        common.say(request, str(error), messages.ERROR)
        return redirect("broadcasts:review", pk=pk)
    return common.show(broadcast)


def _steered(request: SignedInRequest, pk: int, change: Callable[..., object], done: str) -> HttpResponse:
    broadcast = common.found(pk)
    try:
        change(broadcast, actor=request.user)
    except BroadcastError as error:
        common.say(request, str(error), messages.ERROR)
    else:
        common.say(request, done)
    return common.show(broadcast)


@requires(Permission.SEND_BROADCASTS)
@require_POST
def pause(request: SignedInRequest, pk: int) -> HttpResponse:
    """Stop sending until somebody resumes."""
    return _steered(request, pk, steer.pause, _("Sending is paused."))


@requires(Permission.SEND_BROADCASTS)
@require_POST
def resume(request: SignedInRequest, pk: int) -> HttpResponse:
    """Go on sending."""
    return _steered(request, pk, steer.resume, _("Sending goes on."))


@requires(Permission.SEND_BROADCASTS)
@require_POST
def cancel(request: SignedInRequest, pk: int) -> HttpResponse:
    """Leave out everybody who has not been sent to yet."""
    return _steered(request, pk, steer.cancel, _("The rest of this broadcast is cancelled."))


@requires(Permission.SEND_BROADCASTS)
@require_POST
def retry(request: SignedInRequest, pk: int) -> HttpResponse:
    """Try again now: those put off, or (`failed`) also those refused."""
    again = partial(steer.retry, failed=bool(request.POST.get("failed")))
    return _steered(request, pk, again, _("They are tried again now."))


@requires(Permission.EDIT_BROADCASTS)
@require_POST
def duplicate(request: SignedInRequest, pk: int) -> HttpResponse:
    """A new draft like this one."""
    copy = draft.duplicate(common.found(pk), actor=request.user)
    common.say(request, _("This is a copy, with the same targets and content. Nothing has been sent."))
    return redirect("broadcasts:content", pk=copy.pk)


@requires(Permission.EDIT_BROADCASTS)
@require_POST
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Throw a draft away."""
    try:
        draft.delete(common.found(pk), actor=request.user)
    except BroadcastError as error:
        common.say(request, str(error), messages.ERROR)
    else:
        common.say(request, _("The draft is deleted."))
    return redirect("broadcasts:list")
