"""Numbers put together from delivery and tracking."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from envoi.broadcasts.actions.send import send
from envoi.broadcasts.tests.factories import make_draft, people
from envoi.core import keys
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.queries import recount
from envoi.delivery.tests.factories import make_list
from envoi.reports import queries
from envoi.tracking import automated
from envoi.tracking.models import Activity
from envoi.tracking.queries import Hour

NOON = datetime(2026, 3, 27, 12, tzinfo=UTC)


def hour(after: int, opens: int = 1, clicks: int = 0, machines: int = 0) -> Hour:
    return Hour(NOON + timedelta(hours=after), opens, machines, clicks, 0)


def did(delivery: Delivery, type_: str, label: str = "") -> None:
    Activity.objects.create(
        uid=keys.random_key(), mailing=delivery.mailing, delivery=delivery, type=type_, automated=label
    )


def sent_to(count: int, name: str) -> Mailing:
    mailing = send(make_draft(make_list(name, *people(count, f"{name}.example"))), actor=None)
    mailing.deliveries.update(state="sent")
    recount(mailing)
    return mailing


@pytest.mark.django_db
def test_people_and_machines_are_told_apart() -> None:
    mailing = sent_to(3, "a")
    ada, bob, _chloe = mailing.deliveries.order_by("id")
    did(ada, "open")
    did(ada, "open", automated.SCANNER)
    did(bob, "open", automated.APPLE_PRIVACY)
    did(ada, "click")
    did(bob, "unsubscribe")
    assert queries.readers(mailing) == queries.Readers(
        opened=1, opened_by_machines=1, clicked=1, clicked_by_machines=0, unsubscribed=1
    )


@pytest.mark.django_db
def test_headlines_of_many_cost_what_those_of_one_cost(django_assert_num_queries: Any) -> None:
    mailings = [sent_to(2, "a"), sent_to(3, "b")]
    did(mailings[1].deliveries.order_by("id")[0], "open")
    with django_assert_num_queries(2):
        found = queries.headlines([one.pk for one in mailings])
    assert found == {mailings[0].pk: queries.Headline(2, 0, 0), mailings[1].pk: queries.Headline(3, 1, 0)}


@pytest.mark.django_db
def test_no_mailing_has_no_headline() -> None:
    assert queries.headlines([]) == {}


def test_hours_in_which_nothing_happened_are_shown() -> None:
    spans, daily = queries.over_time([hour(0, machines=2), hour(3, clicks=1)], UTC)
    assert not daily
    assert [(one.at.hour, one.opens, one.clicks, one.by_machines) for one in spans] == [
        (12, 1, 0, 2), (13, 0, 0, 0), (14, 0, 0, 0), (15, 1, 1, 0),
    ]  # fmt: skip


def test_after_three_days_it_goes_by_the_day_also_over_a_change_of_the_clock() -> None:
    brussels = ZoneInfo("Europe/Brussels")
    spans, daily = queries.over_time([hour(0), hour(5), hour(80)], brussels)
    assert daily
    assert [(f"{one.at:%d %H %z}", one.opens) for one in spans] == [
        ("27 00 +0100", 2), ("28 00 +0100", 0), ("29 00 +0100", 0), ("30 00 +0200", 1),
    ]  # fmt: skip


def test_nothing_happened_makes_no_chart() -> None:
    assert queries.over_time([], UTC) == ([], False)
