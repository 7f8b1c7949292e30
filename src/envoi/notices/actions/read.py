# ruff: noqa: S608 - put together from names of tables and constants of this code; every value is a parameter
"""A reader's side: seen, dismissed, acknowledged, clicked. Only what stands and is for this person can be touched.

Nobody's account did these: the row of the reading is the record. All may be repeated without effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from envoi.contacts.models import Contact
from envoi.core import clock
from envoi.notices.actions import bump
from envoi.notices.models import Reading
from envoi.notices.queries.sql import IS_FOR, NOTICE, PERSON, READING, STANDS

# How often at most it is written down that somebody still looks at the same notice.
SEEN_AGAIN_AFTER = timedelta(hours=24)
MOST = 200


def see(keys: Sequence[str], contact_id: int) -> int:
    """Write down that the person saw these notices; how many rows were written.

    One statement, and none that writes when all were seen within the day: a dashboard may tell with every look.
    """
    return _seen(keys, contact_id, clock.now())


def dismiss(key: str, contact_id: int) -> bool:
    """Show it to this person never again. False when it is not theirs, has gone, or cannot be dismissed."""
    now = clock.now()
    allowed = Q(notice__dismissible=True, dismissed_at=None)
    with transaction.atomic():
        _seen([key], contact_id, now)
        changed = Reading.objects.filter(allowed, pk__in=_mine(key, contact_id)).update(dismissed_at=now)
        if changed:
            _tell(contact_id)
    return bool(changed) or _mine(key, contact_id, dismissed_at__isnull=False).exists()


def acknowledge(key: str, contact_id: int) -> bool:
    """The person confirmed to have read it; it is not shown again. False when it is not theirs or asks for nothing."""
    now = clock.now()
    allowed = Q(notice__must_acknowledge=True, acknowledged_at=None)
    with transaction.atomic():
        _seen([key], contact_id, now)
        changed = Reading.objects.filter(allowed, pk__in=_mine(key, contact_id)).update(acknowledged_at=now)
        if changed:
            _tell(contact_id)
    return bool(changed) or _mine(key, contact_id, acknowledged_at__isnull=False).exists()


def click(key: str, contact_id: int) -> bool:
    """Count one click of the person on a link or the button of the notice. False when it is not theirs."""
    with transaction.atomic():
        _seen([key], contact_id, clock.now())
        return bool(Reading.objects.filter(pk__in=_mine(key, contact_id)).update(clicks=F("clicks") + 1))


def _mine(key: str, contact_id: int, **narrowed: object) -> QuerySet[Reading]:
    return Reading.objects.filter(notice__key=key, contact=contact_id, **narrowed)


def _tell(contact_id: int) -> None:
    """What is dismissed under one of a person's contacts is dismissed under all."""
    address = Contact.objects.filter(pk=contact_id).values("address_key")
    bump.people(Contact.objects.filter(address_key__in=address).values_list("pk", flat=True))


_SEEN = f"""
INSERT INTO {READING} (notice_id, contact_id, first_seen_at, last_seen_at, clicks)
WITH {PERSON}
SELECT n.id, %(contact)s, %(now)s, %(now)s, 0 FROM {NOTICE} n
 WHERE n.key IN ({{keys}}) AND {STANDS} AND {IS_FOR}
   AND NOT EXISTS (SELECT 1 FROM {READING} d
                    WHERE d.notice_id = n.id AND d.contact_id = %(contact)s AND d.last_seen_at > %(lately)s)
ON CONFLICT (notice_id, contact_id) DO UPDATE SET last_seen_at = excluded.last_seen_at"""


def _seen(keys: Sequence[str], contact_id: int, now: datetime) -> int:
    named = {f"key{place}": key for place, key in enumerate(dict.fromkeys(keys[:MOST]))}
    if not named:
        return 0
    adapt = connection.ops.adapt_datetimefield_value
    parameters = {"contact": contact_id, "now": adapt(now), "lately": adapt(now - SEEN_AGAIN_AFTER), **named}
    with connection.cursor() as cursor:
        cursor.execute(_SEEN.format(keys=", ".join(f"%({name})s" for name in named)), parameters)
        return int(cursor.rowcount)
