"""Notices for tests."""

from __future__ import annotations

from typing import Unpack

from envoi.audiences.models import Audience, List, Product
from envoi.contacts.models import Contact
from envoi.core import clock
from envoi.delivery.tests.factories import make_audience
from envoi.notices import actions, queries
from envoi.notices.actions import Wording
from envoi.notices.models import Notice


def make_notice(
    *include: List | Product | Contact,
    exclude: tuple[List | Product | Contact, ...] = (),
    audience: Audience | None = None,
    fixed: bool = False,
    **wording: Unpack[Wording],
) -> Notice:
    """A published notice; it says something unless told otherwise."""
    wording.setdefault("subject", "Maintenance tonight")
    wording.setdefault("body", "<p>From ten o'clock on.</p>")
    chosen = audience or make_audience(*include, exclude=exclude)
    return actions.publish(chosen, fixed=fixed, actor=None, **wording)


def subjects(contact: Contact, limit: int | None = None) -> list[str]:
    """What this person sees now, in order."""
    return [one.subject for one in queries.shown_to(contact.pk, now=clock.now(), limit=limit)]
