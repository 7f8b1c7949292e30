"""Where a tracked link leads: only to an address that was registered for its mailing, never to one from the request.

A registered address never changes, so each process keeps those it has seen: such a link works while the database is
away. One with merge tags needs the person's values and therefore the database.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from envoi.delivery.models import Delivery
from envoi.tracking import origins
from envoi.tracking.links import Click
from envoi.tracking.models import TrackedLink
from envoi.tracking.origins import NothingToShow

MARKS = ("{{", "{%")


def target(click: Click) -> str:
    """The http or https address to send a reader on to.

    Raises:
        NothingToShow: the link is no longer there, or leads nowhere for this person.
        django.db.Error: the database is away and it was needed.
    """
    url = registered(click.link_id)
    if any(mark in url for mark in MARKS):
        url = _filled(url, click)
    if not _is_web_address(url):
        raise NothingToShow("the address is no web address")
    return url


# lru_cache keeps no exceptions: a link that is not there, or a database that is away, is asked for again.
@lru_cache(maxsize=20_000)
def registered(link_id: int) -> str:
    """The address of a link as it was registered.

    Raises:
        NothingToShow: there is no such link.
    """
    url = TrackedLink.objects.filter(pk=link_id).values_list("url", flat=True).first()
    if url is None:
        raise NothingToShow("no such link")
    return url


def _filled(url: str, click: Click) -> str:
    delivery = (
        Delivery.objects.select_related("mailing", "contact")
        .filter(pk=click.delivery_id, mailing__in=TrackedLink.objects.filter(pk=click.link_id).values("mailing"))
        .first()
    )
    origin = origins.of(delivery.mailing) if delivery else None
    if delivery is None or origin is None:
        raise NothingToShow("nobody can fill this link")
    return origin.link_target(delivery, url)


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and not any(sign in url for sign in "\r\n\0")
