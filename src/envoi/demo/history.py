"""What the demo organisation has sent already, and what it is about to send.

The newsletter goes through the same actions as any broadcast; only its ledger is then written as if a relay and readers
had answered, since nobody reads mail to invented addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from django.db import transaction

from envoi.accounts.models import User
from envoi.audiences.models import List, Product
from envoi.audiences.queries import Targets, current
from envoi.broadcasts.actions import draft, show
from envoi.broadcasts.actions.send import send
from envoi.broadcasts.models import Broadcast
from envoi.contacts.actions.suppressions import suppress
from envoi.contacts.models import Suppression
from envoi.core import clock
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.queries import recount
from envoi.demo import texts
from envoi.notices.models import Notice, Reading
from envoi.tracking import automated
from envoi.tracking.models import Activity, TrackedLink

AGO = timedelta(days=9, hours=4)
MESSAGE_AGO = timedelta(days=3, hours=2)
NO_SUCH_USER = {
    "state": Delivery.State.FAILED,
    "reply_code": 550,
    "reply_status": "5.1.1",
    "reply_text": "No such user here",
}
ACCEPTED = {"state": Delivery.State.SENT, "reply_code": 250, "reply_status": "2.0.0", "reply_text": "OK, queued"}
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
DESK = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.4.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


def finished_newsletter(chance: Random, *, actor: User | None) -> Broadcast:
    """A newsletter of nine days ago, with what its readers did since."""
    with transaction.atomic():
        now = clock.now()
        with clock.set_to(now - AGO):
            newsletter = _written_newsletter(actor)
            mailing = send(newsletter, actor=actor)
            _answer(mailing, chance)
            recount(mailing)
            mailings.finish_if_done(mailing)
        Activity.objects.bulk_create(_readers(mailing, chance, now), batch_size=500)
        _let_leave(mailing, actor)
        newsletter.refresh_from_db()
    return newsletter


def message_on_dashboards(chance: Random, *, actor: User | None) -> Broadcast:
    """A message to the customers of one plan, of three days ago, with what they did since."""
    now = clock.now()
    label, url = texts.MESSAGE_BUTTON
    with transaction.atomic(), clock.set_to(now - MESSAGE_AGO):
        message = draft.create("notice", actor=actor, subject=texts.MESSAGE_SUBJECT, body=texts.MESSAGE_BODY)
        show.change_plan(
            message, actor=actor, level="success", link_label=label, link_url=url, ends_at=now + timedelta(days=11)
        )
        pro = Product.objects.get(name="Pro")
        draft.change_targets(message, Targets(products=(pro.pk,)), Targets(), actor=actor)
        notice = show.show(Broadcast.objects.get(pk=message.pk), actor=actor)
        people = current().filter(product=pro).order_by("contact").values_list("contact", flat=True)
        Reading.objects.bulk_create(_looked(notice, pk, chance) for pk in people if chance.random() < 0.6)
    message.refresh_from_db()
    return message


def _looked(notice: Notice, contact: int, chance: Random) -> Reading:
    at = notice.starts_at + MESSAGE_AGO * chance.random()
    later = at + timedelta(seconds=chance.uniform(4, 90))
    return Reading(
        notice=notice,
        contact_id=contact,
        first_seen_at=at,
        last_seen_at=later,
        clicks=int(chance.random() < 0.25),
        dismissed_at=later if chance.random() < 0.4 else None,
    )


def draft_to_send(*, actor: User | None) -> Broadcast:
    """A draft that needs nothing but a click on Send."""
    made = draft.create(
        "email",
        actor=actor,
        subject=texts.DRAFT_SUBJECT,
        preheader=texts.DRAFT_PREHEADER,
        body_type=Broadcast.BodyType.RICH_TEXT,
        body=texts.DRAFT_BODY,
        purpose="informational",
    )
    products = Product.objects.filter(name__in=["Pro", "Business"]).order_by("pk").values_list("pk", flat=True)
    return draft.change_targets(made, Targets(products=tuple(products)), Targets(), actor=actor)


def _written_newsletter(actor: User | None) -> Broadcast:
    made = draft.create(
        "email",
        actor=actor,
        subject=texts.NEWSLETTER_SUBJECT,
        preheader=texts.NEWSLETTER_PREHEADER,
        body_type=Broadcast.BodyType.HTML,
        body=texts.NEWSLETTER_BODY,
    )
    readers = List.objects.filter(slug="newsletter").values_list("pk", flat=True)
    return draft.change_targets(made, Targets(lists=tuple(readers)), Targets(), actor=actor)


def _answer(mailing: Mailing, chance: Random) -> None:
    """Let the relay accept nearly everybody, and refuse a few who are no longer there."""
    waiting = list(mailing.deliveries.filter(state=Delivery.State.PENDING).order_by("pk").values_list("pk", flat=True))
    gone = chance.sample(waiting, len(waiting) // 90)
    now = clock.now() + timedelta(minutes=1)
    for ids, answer in ((gone, NO_SUCH_USER), (set(waiting) - set(gone), ACCEPTED)):
        mailing.deliveries.filter(pk__in=ids).update(
            **answer, attempts=1, first_attempt_at=now, state_at=now, detail=""
        )


def _readers(mailing: Mailing, chance: Random, now: datetime) -> Iterator[Activity]:
    links = list(TrackedLink.objects.filter(mailing=mailing).order_by("position"))
    for delivery in mailing.deliveries.filter(state=Delivery.State.SENT).order_by("pk"):
        yield from _reader(delivery, links, chance, now)


def _reader(delivery: Delivery, links: list[TrackedLink], chance: Random, now: datetime) -> Iterator[Activity]:
    """What one reader did: most open within a day, one in four of them follows a link, a few leave."""

    def did(type_: str, at: datetime, **more: Any) -> Activity:
        uid = UUID(int=chance.getrandbits(128)).hex
        return Activity(uid=uid, mailing_id=delivery.mailing_id, delivery=delivery, type=type_, at=at, **more)

    if chance.random() < 0.14:
        at = delivery.state_at + timedelta(seconds=chance.uniform(2, 40))
        yield did(Activity.Type.OPEN, at, automated=automated.APPLE_PRIVACY, user_agent="Mozilla/5.0")
    if chance.random() > 0.46:
        return
    at = delivery.state_at + timedelta(hours=min(chance.expovariate(1 / 9), 200))
    proxied = chance.random() < 0.3
    agent = GMAIL if proxied else chance.choice((PHONE, DESK))
    label = automated.GOOGLE_PROXY if proxied else ""
    yield did(Activity.Type.OPEN, min(at, now), user_agent=agent, automated=label)
    if links and chance.random() < 0.27:
        for link in chance.sample(links, 2 if len(links) > 1 and chance.random() < 0.25 else 1):
            at += timedelta(seconds=chance.uniform(8, 90))
            yield did(Activity.Type.CLICK, min(at, now), link=link, user_agent=chance.choice((PHONE, DESK)))
    if chance.random() < 0.012:
        at += timedelta(seconds=30)
        yield did(Activity.Type.UNSUBSCRIBE, min(at, now), user_agent=PHONE)


def _let_leave(mailing: Mailing, actor: User | None) -> None:
    left = Activity.objects.filter(mailing=mailing, type=Activity.Type.UNSUBSCRIBE)
    for key in list(left.values_list("delivery__address_key", flat=True)):
        suppress(key, Suppression.Reason.UNSUBSCRIBED, source="newsletter", actor=actor)
