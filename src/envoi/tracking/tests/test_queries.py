from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.tests.factories import make_mailing
from envoi.tracking import automated, queries
from envoi.tracking.models import Activity
from envoi.tracking.queries import Did, Hour, MailingCounts, Numbers
from envoi.tracking.tests.factories import make_link

pytestmark = pytest.mark.django_db

NINE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
OPEN, CLICK = Activity.Type.OPEN, Activity.Type.CLICK


def did(
    delivery: Delivery, type_: str, label: str = "", *, minutes: int = 0, link: int | None = None, times: int = 1
) -> None:
    for _ in range(times):
        Activity.objects.create(
            uid=secrets.token_hex(16),
            mailing=delivery.mailing,
            delivery=delivery,
            type=type_,
            at=NINE + timedelta(minutes=minutes),
            automated=label,
            link_id=link,
        )


@pytest.fixture
def mailing() -> Mailing:
    """Ada opened twice, Bob's scanner opened, Chloé's proxy opened; Ada and a scanner of Dmitri's clicked."""
    mailing = make_mailing("ada@example.org", "bob@example.org", "chloe@example.org", "dmitri@example.org")
    ada, bob, chloe, dmitri = mailing.deliveries.order_by("id")
    offer, terms = make_link(mailing, position=1), make_link(mailing, "https://example.net/terms", position=2)
    make_link(mailing, "https://example.net/unread", position=3)
    did(ada, OPEN, times=2)
    did(bob, OPEN, automated.SCANNER)
    did(chloe, OPEN, automated.GOOGLE_PROXY, minutes=61)
    did(ada, CLICK, minutes=62, link=offer.pk, times=3)
    did(dmitri, CLICK, automated.MANY_LINKS, link=offer.pk)
    did(dmitri, CLICK, automated.MANY_LINKS, link=terms.pk)
    did(chloe, Activity.Type.UNSUBSCRIBE, minutes=70)
    other = make_mailing("ada@example.net")
    did(other.deliveries.get(), OPEN)
    return mailing


def test_counts_tell_every_time_recipients_and_people_apart(
    mailing: Mailing, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        counts = queries.mailing_counts(mailing)
    assert counts == MailingCounts(
        opens=Numbers(total=4, unique=3, people=2),
        clicks=Numbers(total=5, unique=2, people=1),
        unsubscribes=Numbers(total=1, unique=1, people=1),
        resubscribes=Numbers(),
    )


def test_a_mailing_without_readers_has_zeros() -> None:
    assert queries.mailing_counts(make_mailing("ada@example.org")) == MailingCounts()


def test_each_link_has_its_counts_also_the_one_nobody_followed(mailing: Mailing) -> None:
    assert [(count.url, count.clicks) for count in queries.link_counts(mailing)] == [
        ("https://example.net/offer", Numbers(4, 2, 1)),
        ("https://example.net/terms", Numbers(1, 1, 0)),
        ("https://example.net/unread", Numbers()),
    ]


def test_the_hours_hold_people_and_machines_apart(mailing: Mailing) -> None:
    assert queries.hours(mailing) == [
        Hour(NINE, opens=2, opens_by_machines=1, clicks=0, clicks_by_machines=2),
        Hour(NINE + timedelta(hours=1), opens=1, opens_by_machines=0, clicks=3, clicks_by_machines=0),
    ]


def test_the_log_shows_what_each_recipient_did(
    mailing: Mailing, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ada, bob, chloe, dmitri = rows = list(mailing.deliveries.order_by("id"))
    with django_assert_num_queries(1):
        found = queries.did(rows)
    assert found == {
        ada.pk: Did(opened=True, clicked=True),
        bob.pk: Did(machine=True),
        chloe.pk: Did(opened=True, unsubscribed=True),
        dmitri.pk: Did(machine=True),
    }


def test_who_came_back_is_not_unsubscribed(mailing: Mailing) -> None:
    chloe = mailing.deliveries.get(address="chloe@example.org")
    did(chloe, Activity.Type.RESUBSCRIBE, minutes=80)
    assert not queries.did([chloe])[chloe.pk].unsubscribed


def test_the_log_can_be_filtered_by_what_people_did(mailing: Mailing) -> None:
    def names(rows: list[Delivery]) -> list[str]:
        return [row.address.partition("@")[0] for row in rows]

    log = mailing.deliveries.order_by("id")
    offer = queries.link_counts(mailing)[0].id
    assert names(list(queries.who_did(log, OPEN))) == ["ada", "chloe"]
    assert names(list(queries.who_did(log, OPEN, machines=True))) == ["ada", "bob", "chloe"]
    assert names(list(queries.who_did(log, CLICK, link=offer))) == ["ada"]
    assert names(list(queries.who_did(log, CLICK, link=offer, machines=True))) == ["ada", "dmitri"]
    assert names(list(queries.who_did_not(log, OPEN))) == ["bob", "dmitri"]


def test_the_history_of_one_message_is_in_order(mailing: Mailing) -> None:
    ada = mailing.deliveries.get(address="ada@example.org")
    assert [row.type for row in queries.history(ada)] == [OPEN, OPEN, CLICK, CLICK, CLICK]
