"""What broadcasts' messages were called when they reached somebody: for lists of messages, in one statement."""

from __future__ import annotations

from collections.abc import Sequence

from envoi.broadcasts.composing import compiled
from envoi.broadcasts.models import FrozenContent
from envoi.content import merge_tags
from envoi.content.compile import ContentError, Source
from envoi.delivery.models import Delivery


def titles(deliveries: Sequence[Delivery]) -> dict[int, str]:
    """The subject of each delivery (with its contact), filled in; those that are no broadcast's are left out."""
    rows = FrozenContent.objects.filter(broadcast__mailing__in={one.mailing_id for one in deliveries})
    frozen = {
        mailing: (subject, sender)
        for mailing, subject, sender in rows.values_list("broadcast__mailing", "source__subject", "sender")
    }
    return {one.pk: _filled(one, *frozen[one.mailing_id]) for one in deliveries if one.mailing_id in frozen}


def _filled(delivery: Delivery, subject: str, sender: dict[str, object]) -> str:
    organisation = sender.get("organisation")
    person = merge_tags.person(
        delivery.contact,
        address=delivery.address,
        organisation=organisation if isinstance(organisation, dict) else None,
    )
    try:
        return compiled(Source(subject=subject, body="<p>-</p>")).render(person, {}).subject
    except ContentError:
        return subject
