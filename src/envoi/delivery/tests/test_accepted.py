"""Batches that were accepted whole, written by fewer statements than others."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection
from pytest_django.asserts import assertNumQueries

from envoi.delivery.models import Delivery, Lease, Mailing
from envoi.delivery.queries.results import Result, Settled, settle
from envoi.delivery.tests.factories import claimed, make_mailing
from envoi.delivery.tests.reading import states, tallied

pytestmark = pytest.mark.django_db

SENT = Delivery.State.SENT


@pytest.fixture
def mailing() -> Mailing:
    return make_mailing("ada@example.net", "bob@example.net", "chloe@example.net")


@pytest.mark.parametrize("words", [("Ok", "Ok"), ("queued as 1", "queued as 2")])
def test_ada_and_bob_are_written_down_with_the_words_of_their_servers(mailing: Mailing, words: tuple[str, str]) -> None:
    held = claimed(mailing, "one", 3)
    ada, bob, chloe = held.rows
    results = [
        Result(row.id, SENT, code=250, status="2.0.0", text=text) for row, text in zip((ada, bob), words, strict=True)
    ]
    assert settle(held, results, offered_to=chloe.id) == Settled(mine=True, written=2, offered_to=chloe.id)
    assert states(mailing) == {"ada": "sent", "bob": "sent", "chloe": "in_doubt"}
    row = mailing.deliveries.get(pk=bob.id)
    assert (row.reply_code, row.reply_status, row.reply_text) == (250, "2.0.0", words[1])
    assert (row.attempts, row.first_attempt_at, row.transport_id) == (1, held.started_at, held.transport_id)
    assert (row.retry_at, row.attention, row.detail) == (None, None, "")
    assert tallied(mailing) == {"sent": 2}
    assert settle(held, results).written == 0
    assert tallied(mailing) == {"sent": 2}


def test_nothing_is_written_under_a_lease_that_somebody_else_took_away(mailing: Mailing) -> None:
    held = claimed(mailing, "one", 3)
    results = [Result(row.id, SENT, code=250, text="Ok") for row in held.rows[:2]]
    assert settle(replace(held, worker="another"), results) == Settled(mine=False)
    Lease.objects.all().delete()
    assert settle(held, results) == Settled(mine=False)
    assert set(states(mailing).values()) == {"pending"}
    assert tallied(mailing) == {}


def test_an_accepted_batch_is_one_statement_where_each_is_a_round_trip(mailing: Mailing) -> None:
    held = claimed(mailing, "one", 3)
    with assertNumQueries(1 if connection.vendor == "postgresql" else 3):
        settle(held, [Result(row.id, SENT, code=250, text="Ok") for row in held.rows[:2]])


def test_the_last_accepted_batch_ends_the_lease(mailing: Mailing) -> None:
    held = claimed(mailing, "one", 3)
    results = [Result(row.id, SENT, code=250, text="Ok") for row in held.rows]
    with assertNumQueries(1 if connection.vendor == "postgresql" else 3):
        assert settle(held, results, end=True).written == 3
    assert not Lease.objects.exists()
    assert states(mailing) == {"ada": "sent", "bob": "sent", "chloe": "sent"}
    assert tallied(mailing) == {"sent": 3}
    assert settle(held, results, end=True) == Settled(mine=False)
    assert tallied(mailing) == {"sent": 3}


def test_a_lease_that_is_another_workers_is_not_ended(mailing: Mailing) -> None:
    held = claimed(mailing, "one", 3)
    results = [Result(row.id, SENT, code=250, text="Ok") for row in held.rows]
    assert settle(replace(held, worker="another"), results, end=True) == Settled(mine=False)
    assert Lease.objects.count() == 1
    assert states(mailing) == {"ada": "leased", "bob": "leased", "chloe": "leased"}


def test_an_answer_of_another_kind_in_the_batch_keeps_its_own_words(mailing: Mailing) -> None:
    held = claimed(mailing, "one", 3)
    ada, bob, _ = held.rows
    no = Result(bob.id, Delivery.State.FAILED, code=550, status="5.1.1", text="No such user")
    assert settle(held, [Result(ada.id, SENT, code=250, text="Ok"), no]).written == 2
    assert states(mailing) == {"ada": "sent", "bob": "failed", "chloe": "leased"}
    assert mailing.deliveries.get(pk=bob.id).reply_text == "No such user"
    assert tallied(mailing) == {"failed": 1, "sent": 1}
