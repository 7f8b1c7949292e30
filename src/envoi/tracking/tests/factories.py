"""Small makers of what the tests of tracking and of the public pages need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from envoi.audiences.models import List, Subscription
from envoi.contacts.models import Contact, Kind
from envoi.core import clock
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.tests.factories import make_list, make_mailing
from envoi.tracking.models import TrackedLink
from envoi.tracking.origins import WebView

__all__ = ["Author", "make_link", "make_list", "make_sent", "subscribe"]

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass
class Author:
    """An origin for tests: what it was told to say."""

    html: str = "<!doctype html><title>Hello</title><p>Hello"
    list_ids: list[int] = field(default_factory=list)

    def web_view(self, delivery: Delivery) -> WebView:
        return WebView(self.html)

    def link_target(self, delivery: Delivery, url: str) -> str:
        name = delivery.contact.first_name if delivery.contact else ""
        return url.replace("{{ contact.first_name }}", name)

    def lists(self, mailing: Mailing) -> Iterable[int]:
        return self.list_ids


def make_sent(address: str = "ada@example.org", minutes_ago: int = 60, **contact: str) -> Delivery:
    """A message that was sent to somebody an hour ago."""
    mailing = make_mailing(address)
    Contact.objects.filter(kind=Kind.CONTACT, address=address).update(**contact)
    delivery = Delivery.objects.select_related("contact", "mailing").get(mailing=mailing)
    delivery.state, delivery.state_at = Delivery.State.SENT, clock.now() - timedelta(minutes=minutes_ago)
    delivery.save()
    return delivery


def make_link(mailing: Mailing, url: str = "https://example.net/offer", position: int = 1) -> TrackedLink:
    return TrackedLink.objects.create(mailing=mailing, url=url, position=position)


def subscribe(delivery: Delivery, name: str, status: str = Subscription.Status.CONFIRMED) -> List:
    assert delivery.contact is not None
    return make_list(name, delivery.contact, status=status)
