"""Recipients whose outcome is unknown: mark them as sent or send to them again, one or all."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from envoi.accounts.permissions import Permission
from envoi.broadcasts.actions import doubts
from envoi.broadcasts.errors import BroadcastError
from envoi.console.access import SignedInRequest, requires
from envoi.console.broadcasts import common


@requires(Permission.SEND_BROADCASTS)
@require_POST
def decide(request: SignedInRequest, pk: int) -> HttpResponse:
    """`do` is sent or again; `delivery` names one recipient, without it all are meant."""
    broadcast = common.found(pk)
    chosen = request.POST.get("delivery", "")
    ids = [int(chosen)] if chosen.isdecimal() else None
    try:
        if request.POST.get("do") == "again":
            number = doubts.send_again(broadcast, actor=request.user, ids=ids)
            said = ngettext("It is sent to %(number)s person again.", "It is sent to %(number)s people again.", number)
        else:
            number = doubts.mark_sent(broadcast, actor=request.user, ids=ids)
            said = ngettext("%(number)s message is marked as sent.", "%(number)s messages are marked as sent.", number)
        common.say(request, said % {"number": number})
    except BroadcastError as error:
        common.say(request, str(error), messages.ERROR)
    return redirect(f"{reverse('broadcasts:log', kwargs={'pk': pk})}?state=unknown")
