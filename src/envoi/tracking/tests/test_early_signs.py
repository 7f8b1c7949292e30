"""Somebody reads a message of which its sender does not know yet that nobody knows what became of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from envoi.core import clock
from envoi.core.wording import said
from envoi.delivery.actions.doubts import send_again, settle_by_evidence
from envoi.delivery.actions.watch import watch
from envoi.delivery.models import Delivery, Mailing, Purpose
from envoi.delivery.tests.factories import claimed, make_mailing, offered
from envoi.delivery.tests.reading import states, tallied
from envoi.tracking.actions.flush import flush_spool
from envoi.tracking.actions.record import record_open
from envoi.tracking.actions.unsubscribe import ONE_CLICK, unsubscribe
from envoi.tracking.models import Activity
from envoi.tracking.tests.factories import BROWSER, Author

pytestmark = pytest.mark.django_db

ARRIVED = "It was opened or a link in it followed, so it had arrived."


def dead(purpose: str = Purpose.MARKETING) -> Mailing:
    """Its worker is dead: Ada's and Bob's were about to leave, Chloé's was not."""
    mailing = make_mailing("ada@example.net", "bob@example.net", "chloe@example.net", purpose=purpose)
    offered(claimed(mailing, "host:1", 3), 2)
    return mailing


def row(mailing: Mailing, name: str) -> Delivery:
    return mailing.deliveries.get(address=f"{name}@example.net")


def opens(mailing: Mailing, name: str) -> None:
    record_open(row(mailing, name).pk, method="GET", user_agent=BROWSER, address="203.0.113.7")
    assert flush_spool() == 1


@pytest.mark.fault("F04")
def test_whoever_opened_it_before_its_worker_was_known_to_be_dead_has_got_it() -> None:
    mailing = dead()
    opens(mailing, "ada")
    assert states(mailing) == {"ada": "in_doubt", "bob": "in_doubt", "chloe": "leased"}
    with clock.set_to(clock.now() + timedelta(seconds=61)):
        watch()
    assert states(mailing) == {"ada": "sent", "bob": "unknown", "chloe": "pending"}
    assert tallied(mailing) == {"sent": 1, "unknown": 1}
    assert said(row(mailing, "ada").detail) == ARRIVED
    assert row(mailing, "bob").retry_at is not None


def test_leaving_by_one_click_shows_it_too_and_somebody_elses_open_shows_nothing(author: Author) -> None:
    mailing, other = dead(), make_mailing("dmitri@example.net")
    unsubscribe(row(mailing, "ada").pk, everything=True, way=ONE_CLICK)
    opens(other, "dmitri")
    with clock.set_to(clock.now() + timedelta(seconds=61)):
        watch()
    assert states(mailing) == {"ada": "sent", "bob": "unknown", "chloe": "pending"}


def test_personal_mail_that_was_opened_early_is_not_sent_a_second_time() -> None:
    mailing = dead(Purpose.TRANSACTIONAL)
    opens(mailing, "ada")
    # Nobody looked for an hour: the doubt begins and ends in the same look.
    with clock.set_to(clock.now() + timedelta(hours=1)):
        watch()
    assert states(mailing)["ada"] == "sent"
    with clock.set_to(clock.now() + timedelta(hours=2)):
        watch()
    assert (states(mailing)["ada"], states(mailing)["bob"]) == ("sent", "pending")


def test_who_sends_again_to_the_unknown_ones_spares_those_who_opened_it() -> None:
    mailing = dead()
    mailing.leases.all().delete()
    mailing.deliveries.exclude(address="chloe@example.net").update(
        state=Delivery.State.UNKNOWN, retry_at=clock.now() + timedelta(hours=72), attempts=1
    )
    Activity.objects.create(uid="1", mailing=mailing, delivery=row(mailing, "ada"), type=Activity.Type.CLICK)
    assert send_again(mailing, actor=None) == 1
    assert states(mailing) == {"ada": "sent", "bob": "pending", "chloe": "pending"}


def test_a_doubt_that_the_rule_has_ended_stays_ended_and_looking_costs_the_same_for_many(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    mailing = make_mailing(*(f"reader{number}@example.net" for number in range(50)))
    mailing.deliveries.update(state=Delivery.State.UNKNOWN, retry_at=clock.now() + timedelta(hours=72))
    closed = row(mailing, "reader0")
    Delivery.objects.filter(pk=closed.pk).update(retry_at=None)
    Activity.objects.bulk_create(
        Activity(uid=str(each.pk), mailing=mailing, delivery=each, type=Activity.Type.OPEN)
        for each in mailing.deliveries.all()
    )
    with django_assert_max_num_queries(10):
        assert settle_by_evidence() == 49
    assert row(mailing, "reader0").state == Delivery.State.UNKNOWN
    with django_assert_max_num_queries(1):
        assert settle_by_evidence() == 0
