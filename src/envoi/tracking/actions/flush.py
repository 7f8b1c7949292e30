"""Bring the hits that wait in the spool into the database.

Guarantee: each hit is stored once, whatever is killed when, and with its label. Left out on purpose: hits of deliveries
that are no longer there, links of another mailing, and all hits of erased addresses (no fact about such a person is
stored).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from threading import Event

from django.db import DataError, close_old_connections, transaction

from envoi.contacts.models import Suppression
from envoi.delivery.actions.doubts import reached
from envoi.delivery.models import Delivery
from envoi.tracking import automated, spool
from envoi.tracking.actions.relabel import label, sent_time
from envoi.tracking.models import Activity, TrackedLink
from envoi.tracking.spool import Hit

logger = logging.getLogger("envoi.tracking")


def flush_spool() -> int:
    """Store all hits that wait on this machine. Any number of processes may call it at any time; one works.

    Returns:
        The hits stored; 0 also when another process stores them at this moment.

    Raises:
        django.db.Error: the database is away; the hits stay in the spool.
    """
    return spool.drain(_store)


def flush_until(stopped: Event, seconds: float = 1.0) -> None:
    """Call `flush_spool` every so many `seconds` until `stopped`, whatever goes wrong: the hits wait in the spool.

    For a thread of whichever process stays up on a machine that answers readers.
    """
    trouble = ""
    while not stopped.wait(seconds):
        try:
            close_old_connections()
            flush_spool()
            trouble = ""
        except Exception as error:
            # A database that is away for an hour is told once, not 3,600 times.
            if trouble != repr(error):
                logger.warning("opens and clicks wait in %s and are stored later: %s", spool.folder(), error)
            trouble = repr(error)
    close_old_connections()


def _store(hits: Sequence[Hit]) -> int:
    try:
        with transaction.atomic():
            return _store_chunk(hits)
    except DataError as error:
        raise spool.Unstorable("the database cannot hold these hits") from error


def _store_chunk(hits: Sequence[Hit]) -> int:
    """A fixed number of statements for up to `spool.CHUNK` hits."""
    deliveries = _known_deliveries({hit.delivery_id for hit in hits})
    mailing_of_link = dict(
        TrackedLink.objects.filter(pk__in={hit.link_id for hit in hits if hit.link_id}).values_list("pk", "mailing_id")
    )
    stored = set(Activity.objects.filter(uid__in=[hit.uid for hit in hits]).values_list("uid", flat=True))
    rows = []
    for hit in hits:
        delivery = deliveries.get(hit.delivery_id)
        if delivery is None or hit.uid in stored:
            continue
        if hit.link_id and mailing_of_link.get(hit.link_id) != delivery.mailing_id:
            continue
        stored.add(hit.uid)
        rows.append(_activity(hit, delivery))
    _save(rows, deliveries)
    # Whoever opens a message has got it, also a scanner or a proxy.
    reached([pk for pk, delivery in deliveries.items() if delivery.state == Delivery.State.UNKNOWN])
    return len(rows)


def _save(rows: list[Activity], deliveries: dict[int, Delivery]) -> None:
    sent = {pk: sent_time(delivery) for pk, delivery in deliveries.items()}
    earlier = [row for row in label([*_neighbours(rows), *rows], sent) if row.pk]
    Activity.objects.bulk_create(rows, ignore_conflicts=True)
    Activity.objects.bulk_update(earlier, ["automated"])


def _known_deliveries(ids: set[int]) -> dict[int, Delivery]:
    found = Delivery.objects.only("mailing_id", "state", "state_at", "first_attempt_at", "address_key").in_bulk(ids)
    keys = {delivery.address_key for delivery in found.values()}
    erased = set(
        Suppression.objects.filter(address_key__in=keys, reason=Suppression.Reason.ERASED).values_list(
            "address_key", flat=True
        )
    )
    return {pk: delivery for pk, delivery in found.items() if delivery.address_key not in erased}


def _neighbours(rows: list[Activity]) -> list[Activity]:
    """Clicks stored before that stand so near to new ones that they decide about each other."""
    clicks = [row for row in rows if row.type == Activity.Type.CLICK]
    if not clicks:
        return []
    times = [row.at for row in clicks]
    return list(
        Activity.objects.filter(
            delivery__in={row.delivery_id for row in clicks},
            type=Activity.Type.CLICK,
            at__range=(min(times) - automated.TOGETHER, max(times) + automated.TOGETHER),
        )
    )


def _activity(hit: Hit, delivery: Delivery) -> Activity:
    return Activity(
        uid=hit.uid,
        mailing_id=delivery.mailing_id,
        delivery_id=delivery.pk,
        type=hit.type,
        at=hit.at,
        link_id=hit.link_id,
        user_agent=hit.user_agent,
        ip=hit.ip or None,
        detail="HEAD" if hit.method == "HEAD" else "",
    )
