"""Messages that must have no effect are counted and listed, with why, and forgotten again.

Guarantee: at most `MOST` are kept, the latest, and none longer than `KEPT`; whoever floods us fills no disk.
"""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

from django.db import transaction
from django.db.models import F

from envoi.bounces.models import KeptAside
from envoi.bounces.reading import Head
from envoi.core import clock

MOST = 1000
KEPT = timedelta(days=30)
# PostgreSQL takes no zero bytes, and no database takes halves of characters, as file names and arguments may hold.
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def keep_aside(why: KeptAside.Why, data: bytes, sent_to: str, head: Head) -> None:
    """Note that `data` came and had no effect. The same again counts on."""
    now = clock.now()
    key = hashlib.blake2b(data + b"\0" + sent_to.encode("utf-8", "replace"), digest_size=32).hexdigest()
    with transaction.atomic():
        kept, new = KeptAside.objects.get_or_create(
            key=key,
            defaults={
                "why": why,
                "sent_to": _fit(sent_to, 254),
                "sender": _fit(head.sender, 254),
                "subject": _fit(head.subject, 200),
                "first_at": now,
                "last_at": now,
            },
        )
        if new:
            beyond = KeptAside.objects.order_by("-last_at", "-pk").values_list("pk", flat=True)[MOST:]
            KeptAside.objects.filter(pk__in=list(beyond)).delete()
        else:
            KeptAside.objects.filter(pk=kept.pk).update(times=F("times") + 1, last_at=now)


def forget_old() -> int:
    """Those that have lain long enough; how many."""
    return KeptAside.objects.filter(last_at__lt=clock.now() - KEPT).delete()[0]


def _fit(text: str, most: int) -> str:
    return _UNFIT.sub("\ufffd", text)[:most]
