"""Write down the links of a mailing whose clicks are counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.db import transaction

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.delivery.models import Mailing
from envoi.tracking.models import TrackedLink


class Link(NamedTuple):
    """A link as the compiled message has it: its place, its address (may hold merge tags) and its words."""

    position: int
    url: str
    label: str = ""


class LinksDiffer(Exception):
    """The mailing's links were registered before, with other addresses: messages that left would lead elsewhere."""


def register_links(mailing: Mailing, links: Iterable[Link], *, actor: User | None) -> dict[int, int]:
    """Register the links of a mailing; a second time with the same links changes nothing.

    Returns:
        The id of each link (for `links.click_url`) by its position.

    Raises:
        LinksDiffer: see there.
    """
    wanted = {link.position: link for link in links}
    with transaction.atomic():
        before = dict(TrackedLink.objects.filter(mailing=mailing).values_list("position", "url"))
        if before and before != {position: link.url for position, link in wanted.items()}:
            raise LinksDiffer(f"mailing {mailing.key} has other links already")
        if wanted and not before:
            TrackedLink.objects.bulk_create(
                TrackedLink(mailing=mailing, position=link.position, url=link.url, label=link.label[:200])
                for link in wanted.values()
            )
            audit.record(actor, "register links", mailing, links=len(wanted))
        return dict(TrackedLink.objects.filter(mailing=mailing).values_list("position", "id"))
