"""Addresses of which a server said that they do not exist."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from envoi.contacts.events import Suppressed
from envoi.contacts.models import Suppression
from envoi.core.events import announce

REASON = Suppression.Reason.HARD_BOUNCE


def suppress_dead(answers: Mapping[str, str]) -> int:
    """Never write to these again; how many were not suppressed before. The same few statements for any number.

    Args:
        answers: address key → the server's words.
    """
    with transaction.atomic():
        known = set(Suppression.objects.filter(address_key__in=answers).values_list("address_key", flat=True))
        new = [key for key in answers if key not in known]
        Suppression.objects.bulk_create(
            [Suppression(address_key=key, reason=REASON, source=answers[key][:200]) for key in new],
            ignore_conflicts=True,
        )
        for key in new:
            announce(Suppressed(key, REASON))
    return len(new)
