"""How far the sending of a broadcast's e-mail is, for its page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils.timesince import timesince

from envoi.accounts.permissions import Permission, may
from envoi.broadcasts.models import Broadcast
from envoi.console.access import SignedInRequest
from envoi.core import clock
from envoi.delivery.models import Mailing, Transport
from envoi.delivery.queries import progress as progress_of

LIVE = (Broadcast.Status.SENDING, Broadcast.Status.PAUSED)


def live_context(request: SignedInRequest, shown: Broadcast, mailing: Mailing) -> dict[str, Any]:
    """What the progress of the e-mail's sending shows."""
    now = progress_of(mailing)
    status = shown.mailing_status
    tenth = str(now.percent // 10)
    return {
        "broadcast": shown,
        "mailing": mailing,
        "progress": now,
        "done": now.to_send - now.left,
        "remaining": remaining(now.eta),
        "live": status in LIVE,
        "may_retry": status == Broadcast.Status.FINISHED and now.failed > 0,
        "said": tenth,
        # Said aloud with every tenth of the way, not with every second.
        "speak": request.GET.get("said", tenth) != tenth,
        "may_send": may(request.user, Permission.SEND_BROADCASTS),
        "paused_transport": _paused_transport(request, mailing) if now.waiting_because else None,
    }


def _paused_transport(request: SignedInRequest, mailing: Mailing) -> int | None:
    """The transport that somebody who may should look at."""
    if not may(request.user, Permission.MANAGE_SETTINGS):
        return None
    ways = Q(identities=mailing.identity_id) | Q(routes__identity=mailing.identity_id)
    paused = Transport.objects.filter(ways, paused_at__isnull=False).order_by("pk").values_list("pk", flat=True)
    return paused.first()


def remaining(eta: timedelta | None) -> str:
    """About how long it takes yet, in words; a dash while nothing can be said."""
    if eta is None:
        return "–"
    now = clock.now()
    return timesince(now, now + max(eta, timedelta(minutes=1)), depth=1)
