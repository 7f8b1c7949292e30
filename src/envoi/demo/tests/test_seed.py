"""The demo organisation is believable, complete and never mixed with real people."""

import pytest

from envoi.audiences.models import List, Membership, Product, Subscription
from envoi.broadcasts import readiness
from envoi.broadcasts.models import Broadcast
from envoi.contacts.models import Contact, Kind, Suppression
from envoi.core.tasks.testing import run_due
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.tests.factories import make_contact
from envoi.demo.people import people
from envoi.demo.seed import NotEmpty, seed
from envoi.notices.queries import numbers
from envoi.tracking.queries import mailing_counts

pytestmark = pytest.mark.django_db


def test_the_same_people_come_every_time_and_none_can_be_reached() -> None:
    first, second = list(people(300)), list(people(300))
    assert first == second
    assert len({person.address for person in first}) == 300
    assert all(person.address.endswith(".example") for person in first)
    assert {person.kind for person in first} == set(Kind)


def test_a_newcomer_finds_an_organisation_at_work() -> None:
    seed(300)

    assert Contact.objects.count() == 300
    assert Product.objects.count() == 5
    assert List.objects.count() == 3
    assert set(Membership.objects.values_list("status", flat=True)) >= {"active", "trialing", "expired", "cancelled"}
    assert set(Subscription.objects.values_list("status", flat=True)) == set(Subscription.Status)
    assert Suppression.objects.filter(source="demo").count() == 15


def test_the_newsletter_is_finished_and_its_numbers_are_those_of_its_ledger() -> None:
    seed(300)
    newsletter = Broadcast.objects.get(status=Broadcast.Status.FINISHED)
    mailing = Mailing.objects.get(reference=f"broadcast:{newsletter.pk}")
    counts = mailing_counts(mailing)

    sent = mailing.deliveries.filter(state=Delivery.State.SENT).count()
    assert mailing.state == Mailing.State.FINISHED
    assert not mailing.deliveries.filter(state__in=Delivery.OPEN).exists()
    assert 0 < counts.clicks.unique < counts.opens.people < sent
    assert counts.opens.people < counts.opens.unique, "some opens are a machine's"


def test_a_message_stands_on_dashboards_and_people_did_something_with_it() -> None:
    seed(300)
    message = Broadcast.objects.get(status=Broadcast.Status.SHOWING)
    assert message.notice is not None
    counts = numbers(message.notice)
    assert 0 < counts.dismissed < counts.seen < readiness.count(message).will_receive
    assert counts.clicked > 0


def test_nothing_of_the_demo_is_sent_again_by_the_workers() -> None:
    seed(300)
    before = list(Delivery.objects.order_by("pk").values_list("pk", "state", "attempts"))
    run_due()
    assert list(Delivery.objects.order_by("pk").values_list("pk", "state", "attempts")) == before


def test_the_draft_needs_nothing_but_send() -> None:
    seed(300)
    draft = Broadcast.objects.get(status=Broadcast.Status.DRAFT)
    counted = readiness.count(draft)
    assert counted.will_receive > 50
    assert readiness.problems(draft, counted) == []


def test_real_contacts_are_never_mixed_with_invented_ones() -> None:
    make_contact("ada@example.net")
    with pytest.raises(NotEmpty):
        seed(300)
    assert Contact.objects.count() == 1
    assert not Product.objects.exists()
