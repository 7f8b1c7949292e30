"""Numbers while a mailing is on its way, the log of its recipients, and the pace of a transport."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from envoi.core import clock
from envoi.delivery.models import Delivery, Mailing, Pace
from envoi.delivery.queries import log, progress
from envoi.delivery.queries.pace import interval, reserve
from envoi.delivery.queries.progress import failing_share
from envoi.delivery.queries.results import Result, settle
from envoi.delivery.queries.tallies import recount
from envoi.delivery.tests.factories import claimed, make_mailing, make_transport

pytestmark = pytest.mark.django_db

Row = Delivery.State
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def give(mailing: Mailing, *states: Delivery.State, at: datetime = NOON) -> None:
    """Let the next rows come to `states`."""
    with clock.set_to(at):
        held = claimed(mailing, "w", len(states))
        again = {Row.DEFERRED: at + timedelta(hours=1)}
        ends = zip(held.rows, states, strict=True)
        settle(held, [Result(row.id, state, retry_at=again.get(state)) for row, state in ends], end=True)


@pytest.fixture
def mailing() -> Mailing:
    with clock.set_to(NOON):
        return make_mailing("Ada@example.net", "adam@example.net", "bob@example.net", "a_b%@example.net")


def test_the_numbers_add_up(mailing: Mailing, django_assert_num_queries: Any) -> None:
    give(mailing, Row.SENT, Row.FAILED, Row.DEFERRED)
    with clock.set_to(NOON + timedelta(seconds=30)), django_assert_num_queries(5):
        now = progress(mailing)
    assert (now.total, now.to_send, now.sent, now.failed, now.deferred, now.unknown, now.left) == (4, 4, 1, 1, 1, 0, 2)
    assert now.percent == 50
    assert now.per_minute == pytest.approx(2.0)
    assert now.eta == timedelta(seconds=30)
    assert now.next_retry_at == NOON + timedelta(hours=1)
    assert now.waiting_because == ""


def test_the_rate_looks_at_the_last_minutes_only(mailing: Mailing) -> None:
    give(mailing, Row.SENT)
    give(mailing, Row.SENT, Row.SENT, at=NOON + timedelta(minutes=10))
    with clock.set_to(NOON + timedelta(minutes=11)):
        assert progress(mailing).per_minute == pytest.approx(2.0)
    with clock.set_to(NOON + timedelta(minutes=30)):
        assert progress(mailing).per_minute == 0.0
        assert progress(mailing).eta is None


def test_a_tally_that_went_wrong_is_put_right_from_the_ledger(mailing: Mailing) -> None:
    give(mailing, Row.SENT, Row.DEFERRED)
    mailing.deliveries.filter(state=Row.DEFERRED).update(state=Row.FAILED)
    recount(mailing)
    now = progress(mailing)
    assert (now.sent, now.deferred, now.failed, now.left) == (1, 0, 1, 2)


def test_the_error_budget_forgets_what_was_before_the_resume(mailing: Mailing) -> None:
    give(mailing, Row.SENT, Row.FAILED, at=NOON + timedelta(seconds=10))
    assert failing_share(mailing, 200) == (1, 2)
    mailing.state_changed_at = NOON + timedelta(seconds=20)
    mailing.save()
    assert failing_share(mailing, 200) == (0, 0)
    give(mailing, Row.FAILED, at=NOON + timedelta(seconds=30))
    assert failing_share(mailing, 200) == (1, 1)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", {"Ada", "adam", "bob", "a_b%"}),
        ("ada", {"Ada", "adam"}),
        ("ADA@", {"Ada"}),
        ("a_", {"a_b%"}),
        ("%", set()),
        (" bob@example.net ", {"bob"}),
        ("example", set()),
    ],
)
def test_the_log_is_searched_by_the_beginning_of_an_address(mailing: Mailing, search: str, found: set[str]) -> None:
    assert {row.address.partition("@")[0] for row in log(mailing, search=search)} == found


def test_the_log_is_narrowed_down_by_state_and_reason(mailing: Mailing) -> None:
    give(mailing, Row.SENT, Row.FAILED)
    claimed(mailing, "w", 1)
    mailing.deliveries.filter(address="a_b%@example.net").update(state=Row.SKIPPED, skip_reason="suppressed")
    assert [row.address for row in log(mailing, state="failed")] == ["adam@example.net"]
    assert [row.address for row in log(mailing, state="leased")] == ["bob@example.net"]
    assert [row.address for row in log(mailing, reason="suppressed")] == ["a_b%@example.net"]
    assert list(log(mailing, search="ada", state="skipped")) == []


def test_without_a_limit_everything_may_leave_at_once() -> None:
    transport = make_transport()
    with clock.set_to(NOON):
        assert reserve(transport, 3, timedelta(seconds=1)) == ([NOON] * 3, NOON)
    assert not Pace.objects.exists()


def test_workers_share_the_slots_of_a_transport() -> None:
    transport = make_transport(per_second=10)
    with clock.set_to(NOON):
        first, _ = reserve(transport, 4, timedelta(seconds=1))
        second, after = reserve(transport, 100, timedelta(seconds=1))
        third, _ = reserve(transport, 100, timedelta(seconds=1))
    assert first + second == [NOON + timedelta(seconds=0.1) * number for number in range(11)]
    assert after == NOON + timedelta(seconds=1.1)
    assert third == []


def test_slots_that_nobody_took_are_not_saved_up() -> None:
    transport = make_transport(per_second=10)
    with clock.set_to(NOON):
        reserve(transport, 1, timedelta(seconds=1))
    later = NOON + timedelta(hours=1)
    with clock.set_to(later):
        slots, _ = reserve(transport, 100, timedelta(seconds=1))
    assert slots == [later + timedelta(seconds=0.1) * number for number in range(11)]


@pytest.mark.parametrize(
    ("per_second", "per_hour", "apart"), [(None, None, 0.0), (4, None, 0.25), (None, 60, 60.0), (4, 60, 60.0)]
)
def test_the_stricter_limit_counts(per_second: int | None, per_hour: int | None, apart: float) -> None:
    assert interval(make_transport(per_second=per_second, per_hour=per_hour)) == timedelta(seconds=apart)
