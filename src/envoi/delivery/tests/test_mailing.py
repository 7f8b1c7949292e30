"""Starting, pausing, resuming, cancelling and finishing, and what the watchdog does without being told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from envoi.accounts.models import AuditEntry, User
from envoi.audiences.models import List
from envoi.contacts.events import Suppressed
from envoi.contacts.models import Suppression
from envoi.core import clock, events
from envoi.core.wording import said
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.actions.dead_addresses import suppress_dead
from envoi.delivery.actions.standstill import pause_transport, resume_transport
from envoi.delivery.actions.watch import watch
from envoi.delivery.events import (
    MailingCancelled,
    MailingFinished,
    MailingPaused,
    MailingResumed,
    MailingStarted,
    TransportPaused,
    TransportResumed,
)
from envoi.delivery.models import Delivery, Mailing, Shift
from envoi.delivery.queries import progress
from envoi.delivery.queries.leases import LEASE, claim, release, renew
from envoi.delivery.queries.ranges import show_who_is_being_sent
from envoi.delivery.queries.results import Result, Settled, settle
from envoi.delivery.shifts.work import work
from envoi.delivery.tests.factories import (
    claimed,
    make_audience,
    make_contact,
    make_identity,
    make_list,
    make_mailing,
    offered,
    suppress,
)

pytestmark = pytest.mark.django_db

Row = Delivery.State
KINDS = (
    MailingStarted,
    MailingPaused,
    MailingResumed,
    MailingCancelled,
    MailingFinished,
    TransportPaused,
    TransportResumed,
    Suppressed,
)


@pytest.fixture
def told() -> Iterator[list[object]]:
    """Everything that delivery announces."""
    heard: list[object] = []
    before = {kind: list(events._listeners[kind]) for kind in KINDS}
    for kind in KINDS:
        events.on(kind, heard.append)
    yield heard
    for kind, listeners in before.items():
        events._listeners[kind] = listeners


@pytest.fixture
def ordered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The mailings for which a shift was ordered."""
    orders: list[int] = []

    def later(name: str, *, mailing_id: int, **_: object) -> None:
        assert name == "delivery.send_shift"
        orders.append(mailing_id)

    for module in ("mailing", "standstill", "watch"):
        monkeypatch.setattr(f"envoi.delivery.actions.{module}.later", later)
    monkeypatch.setattr("envoi.delivery.actions.watch.later_unless_waiting", later)
    return orders


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada@example.org", "a long password")


def started(actor: User | None = None, reference: str = "broadcast:1") -> Mailing:
    people = [make_contact(f"{name}@example.net") for name in ("bob", "chloe", "dmitri")]
    suppress("bob@example.net")
    audience = make_audience(make_list("News", *people))
    return mailings.start(
        audience, reference=reference, composer="test", purpose="marketing", identity=make_identity(), actor=actor
    )


@contextmanager
def in_a_minute(minutes: float = 2) -> Iterator[None]:
    with clock.set_to(clock.now() + timedelta(minutes=minutes)):
        yield


def states(mailing: Mailing) -> list[str]:
    rows = list(mailing.deliveries.order_by("address_key"))
    show_who_is_being_sent(rows)
    return [str(row.skip_reason or row.state) for row in rows]


def tallied(mailing: Mailing) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for tally in mailing.tallies.all():
        key = (tally.state, tally.skip_reason)
        counts[key] = counts.get(key, 0) + tally.count
    return {key: count for key, count in counts.items() if count}


def counted(mailing: Mailing) -> dict[tuple[str, str], int]:
    """What the tally must say, from the ledger itself."""
    counts: dict[tuple[str, str], int] = {}
    for row in mailing.deliveries.exclude(state=Row.PENDING):
        counts[row.state, row.skip_reason] = counts.get((row.state, row.skip_reason), 0) + 1
    return counts


def test_starting_freezes_the_ledger_and_orders_a_shift(ada: User, told: list[object], ordered: list[int]) -> None:
    mailing = started(actor=ada)
    assert states(mailing) == ["suppressed", "pending", "pending"]
    assert mailing.total == 3
    assert mailing.message_id_domain == "example.org"
    assert ordered == [mailing.pk]
    assert told == [MailingStarted(mailing.pk)]
    assert tallied(mailing) == counted(mailing) == {("skipped", "suppressed"): 1}
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.verb, entry.details) == (ada, "start", {"reference": "broadcast:1", "recipients": 3})


def test_the_same_thing_is_not_started_twice(told: list[object], ordered: list[int]) -> None:
    mailing = started()
    with pytest.raises(mailings.AlreadyStarted):
        mailings.start(
            make_audience(make_contact("eve@example.net")),
            reference="broadcast:1",
            composer="test",
            purpose="marketing",
            identity=mailing.identity,
            actor=None,
        )
    assert Mailing.objects.count() == 1
    assert Delivery.objects.count() == 3
    assert ordered == [mailing.pk]
    assert told == [MailingStarted(mailing.pk)]


def test_pause_and_resume_are_recorded_with_who_and_why(ada: User, told: list[object], ordered: list[int]) -> None:
    mailing = make_mailing("bob@example.net")
    assert mailings.pause(mailing, actor=ada, reason="a typing error")
    assert not mailings.pause(mailing, actor=ada)
    current = progress(mailing)
    assert (current.state, current.waiting_because) == ("paused", "a typing error")
    assert claim(mailing, "worker", 10) is None
    assert mailings.resume(mailing, actor=ada)
    assert not mailings.resume(mailing, actor=ada)
    mailing.refresh_from_db()
    assert (mailing.state, mailing.state_reason, mailing.state_changed_by) == ("running", "", ada)
    assert told == [MailingPaused(mailing.pk, "a typing error"), MailingResumed(mailing.pk)]
    assert ordered == [mailing.pk]
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True)) == ["pause", "resume"]


def test_cancelling_skips_who_waits_and_nobody_else(told: list[object], ordered: list[int]) -> None:
    mailing = make_mailing("bob@example.net", "chloe@example.net", "dmitri@example.net")
    held = claimed(mailing, "worker", 1)
    settle(held, [Result(held.rows[0].id, Row.SENT, code=250)], end=True)
    held = claimed(mailing, "worker", 1)
    settle(held, [Result(held.rows[0].id, Row.DEFERRED, retry_at=clock.now())], end=True)
    assert mailings.cancel(mailing, actor=None)
    assert states(mailing) == ["sent", "cancelled", "cancelled"]
    assert tallied(mailing) == counted(mailing) == {("sent", ""): 1, ("skipped", "cancelled"): 2}
    assert not mailings.cancel(mailing, actor=None)
    assert not mailings.resume(mailing, actor=None)
    assert not mailings.finish_if_done(mailing)
    assert mailings.retry(mailing, actor=None, failed=True) == 0
    assert told == [MailingCancelled(mailing.pk)]
    assert ordered == []


def test_a_mailing_is_finished_only_when_no_row_is_open(told: list[object]) -> None:
    mailing = make_mailing("bob@example.net")
    for state in Delivery.OPEN:
        mailing.deliveries.update(state=state)
        assert not mailings.finish_if_done(mailing)
    mailing.deliveries.update(state=Row.UNKNOWN)
    assert mailings.finish_if_done(mailing)
    assert not mailings.finish_if_done(mailing)
    mailing.refresh_from_db()
    assert mailing.finished_at is not None
    assert told == [MailingFinished(mailing.pk)]
    assert tallied(mailing) == {("unknown", ""): 1}


def test_a_mailing_to_nobody_is_finished_by_the_watchdog(told: list[object], ordered: list[int]) -> None:
    mailing = mailings.start(
        make_audience(), reference="r", composer="test", purpose="marketing", identity=make_identity(), actor=None
    )
    watch()
    assert told == [MailingStarted(mailing.pk), MailingFinished(mailing.pk)]


def test_the_watchdog_wakes_what_is_due_and_leaves_the_rest(ordered: list[int]) -> None:
    due, later, paused, worked_on, waiting = (make_mailing(f"p{n}@example.net") for n in range(5))
    held = claimed(later, "w", 1)
    settle(held, [Result(held.rows[0].id, Row.DEFERRED, retry_at=clock.now() + timedelta(minutes=1))], end=True)
    mailings.pause(paused, actor=None)
    Shift.objects.create(
        worker="w", mailing=worked_on, transport=worked_on.identity.transport, until=clock.now() + LEASE
    )
    pause_transport(waiting.identity.transport, reason="535 wrong password", actor=None)
    watch()
    assert ordered == [due.pk]
    with in_a_minute():
        watch()
    assert ordered == [due.pk, due.pk, later.pk, worked_on.pk]


def test_of_a_large_mailing_two_senders_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    orders: list[dict[str, object]] = []
    monkeypatch.setattr(mailings, "later", lambda name, **arguments: orders.append({"name": name, **arguments}))
    monkeypatch.setattr(mailings, "ALONE", 3)
    small = started()
    assert orders == [{"name": "delivery.send_shift", "mailing_id": small.pk}]
    monkeypatch.setattr(mailings, "ALONE", 2)
    orders.clear()
    news = make_audience(List.objects.get())
    large = mailings.start(
        news, reference="broadcast:2", composer="test", purpose="marketing", identity=small.identity, actor=None
    )
    assert orders == [{"name": "delivery.send_shift", "mailing_id": large.pk}, {"name": "delivery.send_shift"}]


def test_what_a_dead_worker_held_is_taken_back_and_only_the_window_is_unknown(ordered: list[int]) -> None:
    mailing = make_mailing(*(f"p{n}@example.net" for n in range(5)))
    held = claimed(mailing, "dead", 4)
    assert offered(held, 2) == Settled(mine=True, offered_to=held.rows[1].id)
    watch()
    assert states(mailing) == ["in_doubt", "in_doubt", "leased", "leased", "pending"]
    with in_a_minute():
        watch()
        assert states(mailing) == ["unknown", "unknown", "pending", "pending", "pending"]
        assert tallied(mailing) == counted(mailing) == {("unknown", ""): 2}
        doubtful = mailing.deliveries.filter(state=Row.UNKNOWN)
        assert {said(row.detail) for row in doubtful} == {
            "The worker stopped between handing the message over and the answer; it may have arrived."
        }
        assert list(doubtful.values_list("attempts", flat=True)) == [1, 1]
        assert set(mailing.deliveries.filter(state=Row.PENDING).values_list("attempts", "first_attempt_at")) == {
            (0, None)
        }
        # The dead one wakes after all: it may neither send nor write.
        assert renew("dead") == set()
        assert offered(held, 4) == Settled(mine=False)
        for end in (False, True):
            assert settle(held, [Result(row.id, Row.SENT) for row in held.rows], end=end) == Settled(mine=False)
        assert not release(held, held.rows[0].id)
        assert states(mailing) == ["unknown", "unknown", "pending", "pending", "pending"]
        assert tallied(mailing) == counted(mailing)


def test_a_worker_that_renews_keeps_its_rows() -> None:
    mailing = make_mailing("bob@example.net")
    held = claimed(mailing, "alive", 10)
    with clock.set_to(clock.now() + LEASE / 2):
        assert renew("alive") == {held.id}
    with clock.set_to(clock.now() + LEASE * 1.2):
        watch()
        assert states(mailing) == ["leased"]
        assert offered(held, 1).offered_to == held.rows[0].id


def test_a_row_is_leased_to_one_worker_at_a_time() -> None:
    mailing = make_mailing("bob@example.net", "chloe@example.net", "dmitri@example.net")
    first, second = claimed(mailing, "one", 2), claimed(mailing, "two", 5)
    assert [row.address for row in first.rows] == ["bob@example.net", "chloe@example.net"]
    assert [row.address for row in second.rows] == ["dmitri@example.net"]
    assert claim(mailing, "three", 5) is None
    assert {row.epoch for row in first.rows} == {first.id} != {second.id}


def test_a_finished_mailing_with_open_rows_goes_on(told: list[object], ordered: list[int]) -> None:
    mailing = make_mailing("bob@example.net")
    Mailing.objects.update(state=Mailing.State.FINISHED, finished_at=clock.now())
    watch()
    mailing.refresh_from_db()
    assert (mailing.state, mailing.finished_at) == (Mailing.State.RUNNING, None)
    assert told == [MailingResumed(mailing.pk)]
    assert set(ordered) == {mailing.pk}


def test_rows_that_come_back_to_a_cancelled_mailing_are_skipped(ordered: list[int]) -> None:
    mailing = make_mailing("bob@example.net")
    claimed(mailing, "dead", 1)
    mailings.cancel(mailing, actor=None)
    assert states(mailing) == ["leased"]
    with in_a_minute():
        watch()
    assert states(mailing) == ["cancelled"]
    assert tallied(mailing) == counted(mailing)
    assert ordered == []


def test_trying_again_takes_the_deferred_and_if_wanted_the_failed_but_never_the_unknown(
    told: list[object], ordered: list[int]
) -> None:
    mailing = make_mailing(*(f"p{n}@example.net" for n in range(4)))
    held = claimed(mailing, "w", 4)
    outcomes = (Row.SENT, Row.DEFERRED, Row.FAILED, Row.UNKNOWN)
    later = clock.now() + timedelta(hours=1)
    results = [Result(row.id, state, retry_at=later) for row, state in zip(held.rows, outcomes, strict=True)]
    settle(held, results, end=True)
    assert mailings.retry(mailing, actor=None) == 1
    assert states(mailing) == ["sent", "pending", "failed", "unknown"]
    assert mailings.retry(mailing, actor=None, failed=True) == 1
    assert states(mailing) == ["sent", "pending", "pending", "unknown"]
    assert tallied(mailing) == counted(mailing) == {("sent", ""): 1, ("unknown", ""): 1}
    assert ordered == [mailing.pk, mailing.pk]
    assert told == []


def test_trying_the_failed_ones_again_reopens_a_finished_mailing(told: list[object], ordered: list[int]) -> None:
    mailing = make_mailing("bob@example.net")
    held = claimed(mailing, "w", 1)
    settle(held, [Result(held.rows[0].id, Row.FAILED, code=550)], end=True)
    mailings.finish_if_done(mailing)
    assert mailings.retry(mailing, actor=None) == 0
    assert mailings.retry(mailing, actor=None, failed=True) == 1
    assert told == [MailingFinished(mailing.pk), MailingResumed(mailing.pk)]
    assert ordered == [mailing.pk]


def test_the_first_reason_of_a_paused_transport_stays(told: list[object], ordered: list[int]) -> None:
    mailing = make_mailing("bob@example.net")
    transport = mailing.identity.transport
    assert pause_transport(transport, reason="535 wrong password", actor=None)
    assert not pause_transport(transport, reason="421 busy", actor=None, retry_after=timedelta(minutes=1))
    assert progress(mailing).waiting_because == "535 wrong password"
    with in_a_minute():
        watch()
    assert ordered == []
    assert resume_transport(transport, actor=None)
    assert not resume_transport(transport, actor=None)
    assert ordered == [mailing.pk]
    assert told == [TransportPaused(transport.pk, "535 wrong password"), TransportResumed(transport.pk)]


def test_dead_addresses_are_suppressed_once(told: list[object]) -> None:
    suppress("bob@example.net", "unsubscribed")
    assert suppress_dead({"bob@example.net": "550", "chloe@example.net": "550 5.1.1 nobody"}) == 1
    assert suppress_dead({"chloe@example.net": "550"}) == 0
    assert list(Suppression.objects.order_by("address_key").values_list("address_key", "reason", "source")) == [
        ("bob@example.net", "unsubscribed", ""),
        ("chloe@example.net", "hard_bounce", "550 5.1.1 nobody"),
    ]
    assert told == [Suppressed("chloe@example.net", "hard_bounce")]


def test_a_composer_that_is_not_there_pauses_the_mailing_with_the_reason(ordered: list[int]) -> None:
    from_nobody = make_mailing("bob@example.net", composer="gone")
    work(from_nobody.pk)
    current = progress(from_nobody)
    why = "no composer is registered as “gone”"
    assert (current.state, current.waiting_because) == ("paused", f"The messages cannot be composed: {why}")
    assert states(from_nobody) == ["pending"]
