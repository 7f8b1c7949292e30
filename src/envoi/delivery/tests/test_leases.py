"""Ranges of rows: what is given back, what comes back, and what nobody would find."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection

from envoi.core import clock
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.actions.doubts import send_again
from envoi.delivery.models import Delivery, Lease, Mailing
from envoi.delivery.queries.leases import claim, release
from envoi.delivery.queries.ranges import due_mailings
from envoi.delivery.queries.results import Result, settle
from envoi.delivery.shifts.batches import Hand
from envoi.delivery.tests.factories import claimed, make_mailing
from envoi.delivery.tests.reading import states, tallied

pytestmark = pytest.mark.django_db

Row = Delivery.State


@pytest.fixture
def mailing() -> Mailing:
    return make_mailing(*(f"p{number}@example.net" for number in range(6)))


def names(mailing: Mailing, worker: str, size: int) -> list[str]:
    return [row.address.partition("@")[0] for row in claimed(mailing, worker, size).rows]


def test_what_was_given_back_is_leased_again_before_what_is_new(mailing: Mailing) -> None:
    held = claimed(mailing, "one", 3)
    settle(held, [Result(held.rows[0].id, Row.SENT)], offered_to=held.rows[0].id)
    assert release(held, held.rows[1].id)
    assert names(mailing, "two", 1) == ["p1"]
    assert names(mailing, "three", 10) == ["p2"]
    assert names(mailing, "four", 10) == ["p3", "p4", "p5"]
    assert claim(mailing, "five", 10) is None
    assert not due_mailings().exists()


def test_leases_are_small_at_first_and_towards_the_end_of_what_is_new(mailing: Mailing) -> None:
    hand = Hand()
    assert hand.wanted(1, 1000) == 2
    held = claimed(mailing, "one", 2)
    hand.take(held, held.rows, held.rows)
    assert held.beyond == 4
    assert [hand.wanted(1, most) for most in (1000, 1)] == [1, 1]
    for beyond, wanted in ((9_000, 1_000), (2_000, 500), (300, 100), (0, 1_000)):
        held.beyond = beyond
        hand.take(held, held.rows, held.rows)
        assert hand.wanted(100, 1_000) == wanted
    assert release(held, held.rows[0].id)
    assert claimed(mailing, "two", 10).beyond == 4
    assert claimed(mailing, "three", 10).beyond == 0


def test_a_row_that_comes_back_waits_until_the_lease_around_it_has_ended(mailing: Mailing) -> None:
    held = claimed(mailing, "one", 6)
    p0, p1, *rest = held.rows
    doubt = Result(p0.id, Row.UNKNOWN, retry_at=clock.now() + timedelta(hours=72))
    settle(held, [doubt, Result(p1.id, Row.SENT)], offered_to=p1.id)
    assert send_again(mailing, actor=None) == 1
    assert states(mailing)["p0"] == "deferred"
    # Nor does an idle sender look for it each second meanwhile.
    assert claim(mailing, "two", 10) is None
    assert not due_mailings().exists()
    settle(held, [Result(row.id, Row.SENT) for row in rest], end=True)
    assert due_mailings().exists()
    assert names(mailing, "two", 10) == ["p0"]
    assert tallied(mailing) == {"sent": 5}


def test_pending_rows_that_no_claim_would_find_keep_a_mailing_from_being_finished(
    mailing: Mailing, caplog: pytest.LogCaptureFixture
) -> None:
    held = claimed(mailing, "one", 6)
    settle(held, [Result(row.id, Row.SENT) for row in held.rows[1:]])
    Lease.objects.all().delete()
    assert not mailings.finish_if_done(mailing)
    assert [record.getMessage() for record in caplog.records] == [
        f"Mailing {mailing.pk} has rows that nobody would find; they wait again"
    ]
    assert names(mailing, "two", 10) == ["p0"]


def test_leases_of_a_mailing_never_overlap(mailing: Mailing) -> None:
    for number in range(3):
        claimed(mailing, f"worker {number}", 2)
    ranges = list(Lease.objects.order_by("first_id").values_list("first_id", "last_id"))
    assert len(ranges) == 3
    assert all(before[1] < after[0] for before, after in pairwise(ranges))


def test_no_index_knows_what_changes_when_a_message_is_sent() -> None:
    with connection.cursor() as cursor:
        found: dict[str, Any] = connection.introspection.get_constraints(cursor, Delivery._meta.db_table)
    indexed = {column for one in found.values() if one["index"] or one["unique"] for column in one["columns"] or ()}
    assert indexed == {"id", "mailing_id", "address_key", "twin", "contact_id", "attention", "retry_at"}
