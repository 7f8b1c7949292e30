"""Whose turn it is, and how many connections each sender gets; counted, not timed."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest

from envoi.core import clock
from envoi.core.models import Heartbeat
from envoi.core.tasks import heartbeats, later
from envoi.core.tasks.engine import engine
from envoi.core.tasks.testing import run_due
from envoi.delivery.models import Mailing, Shift, Transport
from envoi.delivery.queries import roster, turns
from envoi.delivery.queries.leases import LEASE
from envoi.delivery.queries.roster import Place, shares
from envoi.delivery.shifts import work as working
from envoi.delivery.tests.composing import Plain
from envoi.delivery.tests.factories import make_mailing as make_any_mailing
from envoi.delivery.tests.factories import make_transport

Priority = Mailing.Priority


def make_mailing(address: str, transport: Transport, priority: int = Priority.NORMAL) -> Mailing:
    mailing = make_any_mailing(address, transport=transport)
    Mailing.objects.filter(pk=mailing.pk).update(priority=priority)
    mailing.refresh_from_db()
    return mailing


def places(text: str) -> list[Place]:
    """“p” is a personal shift, “b” a broadcast; in the order in which they came."""
    return [Place(f"{kind}{number}", kind == "p", 0) for number, kind in enumerate(text, 1)]


@pytest.mark.parametrize(
    ("most", "who", "expected"),
    [
        (8, "b", {"b1": 7}),
        (8, "bb", {"b1": 4, "b2": 3}),
        (8, "bbp", {"b1": 4, "b2": 3, "p3": 1}),
        (8, "bpp", {"b1": 6, "p2": 1, "p3": 1}),
        (8, "p", {"p1": 1}),
        (2, "b", {"b1": 2}),
        (2, "bp", {"b1": 1, "p2": 1}),
        (1, "bp", {"b1": 0, "p2": 1}),
        (1, "bb", {"b1": 1, "b2": 0}),
        (3, "bbb", {"b1": 1, "b2": 1, "b3": 0}),
        (2, "ppp", {"p1": 1, "p2": 1, "p3": 0}),
    ],
)
def test_connections_are_divided_and_never_more_than_there_are(most: int, who: str, expected: dict[str, int]) -> None:
    found = shares(most, places(who))
    assert found == expected
    assert sum(found.values()) <= most


def test_those_who_are_on_their_way_are_counted_in() -> None:
    assert shares(8, places("b"), coming=1) == {"b1": 4}
    assert shares(8, places("b"), coming=10) == {"b1": 1}


@pytest.fixture
def relay() -> Transport:
    return make_transport(max_connections=8)


@pytest.mark.django_db
class TestConnections:
    def test_a_newcomer_gets_what_is_free_and_the_rest_when_others_have_closed_theirs(self, relay: Transport) -> None:
        ada, bob = (make_mailing(f"{name}@example.net", transport=relay) for name in ("ada", "bob"))
        assert roster.sign_on("first", ada, relay) == 7
        assert roster.sign_on("second", bob, relay) == 1
        assert turns.is_over("first", ada, relay, clock.now())
        roster.sign_off("first")
        assert roster.take_connections("second", bob, relay) == 7

    def test_with_a_mailing_that_has_just_begun_connections_are_left_for_those_who_come(self, relay: Transport) -> None:
        heartbeats.beat("sender")
        Heartbeat.objects.create(process="another:1:sender", kind="sender", seen_at=clock.now())
        mailing = make_mailing("ada@example.net", transport=relay)
        assert roster.sign_on("first", mailing, relay) == 4
        with clock.set_to(clock.now() + timedelta(seconds=5)):
            assert roster.take_connections("first", mailing, relay) == 7

    def test_the_place_of_a_dead_worker_is_free_when_its_time_is_over(self, relay: Transport) -> None:
        mailing = make_mailing("ada@example.net", transport=relay)
        assert roster.sign_on("dead", mailing, relay) == 7
        with clock.set_to(clock.now() + LEASE + timedelta(seconds=1)):
            assert roster.sign_on("alive", mailing, relay) == 7
        assert [shift.worker for shift in Shift.objects.all()] == ["alive"]

    def test_personal_mail_has_its_connection_at_once(self, relay: Transport) -> None:
        broadcast = make_mailing("ada@example.net", transport=relay)
        personal = make_mailing("bob@example.net", transport=relay, priority=Priority.PERSONAL)
        assert roster.sign_on("broadcast", broadcast, relay) == 7
        assert roster.sign_on("personal", personal, relay) == 1
        assert not turns.is_over("broadcast", broadcast, relay, clock.now())


@pytest.mark.django_db
class TestTurns:
    def test_the_most_urgent_goes_first_and_equals_are_served_in_turn(self, relay: Transport) -> None:
        low, ada, bob, high = (
            make_mailing(f"{name}@example.net", transport=relay, priority=priority)
            for name, priority in [
                ("low", Priority.LOW), ("ada", Priority.NORMAL), ("bob", Priority.NORMAL), ("high", Priority.HIGH),
            ]
        )  # fmt: skip
        make_mailing("chloe@example.net", transport=relay, priority=Priority.PERSONAL)
        assert list(turns.waiting()) == [high, ada, bob, low]
        ada.refresh_from_db()
        assert turns.take(ada)
        assert list(turns.waiting()) == [high, bob, ada, low]

    def test_of_two_senders_who_choose_at_once_one_looks_again(self, relay: Transport) -> None:
        mailing = make_mailing("ada@example.net", transport=relay)
        first, second = Mailing.objects.get(), Mailing.objects.get()
        assert turns.take(first)
        assert not turns.take(second)
        mailing.refresh_from_db()
        assert mailing.turn_at == first.turn_at

    def test_a_turn_is_short_when_somebody_as_urgent_waits(self, relay: Transport) -> None:
        ada, bob = (make_mailing(f"{name}@example.net", transport=make_transport()) for name in ("ada", "bob"))
        roster.sign_on("one", ada, relay)
        began = clock.now()
        assert turns.take(ada)
        assert not turns.is_over("one", ada, relay, began)
        with clock.set_to(began + turns.SHORT):
            assert turns.is_over("one", ada, relay, began)
            assert turns.take(bob)
            assert not turns.is_over("one", ada, relay, began)

    def test_whoever_lost_the_place_ends_the_turn(self, relay: Transport) -> None:
        mailing = make_mailing("ada@example.net", transport=relay)
        roster.sign_on("one", mailing, relay)
        assert not turns.is_over("one", mailing, relay, clock.now())
        with clock.set_to(clock.now() + LEASE + timedelta(seconds=1)):
            assert turns.is_over("one", mailing, relay, clock.now())

    def test_something_more_urgent_ends_a_turn_at_once_and_something_less_urgent_never(self, relay: Transport) -> None:
        normal = make_mailing("ada@example.net", transport=relay)
        make_mailing("bob@example.net", transport=relay, priority=Priority.LOW)
        roster.sign_on("one", normal, relay)
        began = clock.now()
        with clock.set_to(began + turns.LONG):
            assert not turns.is_over("one", normal, relay, began)
        high = make_mailing("chloe@example.net", transport=relay, priority=Priority.HIGH)
        assert turns.is_over("one", normal, relay, began)
        assert turns.take(high)
        assert not turns.is_over("one", normal, relay, began)
        Transport.objects.filter(pk=high.identity.transport_id).update(paused_at=clock.now())
        with clock.set_to(began + turns.LONG):
            assert not turns.is_over("one", normal, relay, began)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Lets every turn take a second and send ten messages, without a server; whose they were."""
    counted: Counter[str] = Counter()
    now = [clock.now()]

    def turn(mailing: Mailing, transport: Transport, seconds: float) -> datetime:
        counted[mailing.reference] += 10
        now[0] += timedelta(seconds=1)
        return now[0]

    monkeypatch.setattr(working, "_turn", turn)
    monkeypatch.setattr(clock, "_source", lambda: now[0])
    monkeypatch.setattr(working, "elapsed", lambda: now[0].timestamp())
    return counted


@pytest.mark.django_db
class TestFairness:
    def test_two_broadcasts_share_to_within_one_turn(self, served: Counter[str], relay: Transport) -> None:
        ada, bob = (make_mailing(f"{name}@example.net", transport=relay) for name in ("ada", "bob"))
        working.take_turns(seconds=21)
        assert abs(served[ada.reference] - served[bob.reference]) <= 10
        assert served.total() == 210

    def test_a_high_one_goes_before_a_normal_one_and_a_low_one_yields(
        self, served: Counter[str], relay: Transport
    ) -> None:
        for name, priority in (("low", Priority.LOW), ("normal", Priority.NORMAL)):
            make_mailing(f"{name}@example.net", transport=relay, priority=priority)
        high = make_mailing("high@example.net", transport=relay, priority=Priority.HIGH)
        working.take_turns(seconds=20)
        assert served == {high.reference: 200}

    def test_one_that_is_hindered_lets_others_pass(self, served: Counter[str], relay: Transport) -> None:
        paused = make_transport(paused_at=clock.now())
        make_mailing("high@example.net", transport=paused, priority=Priority.HIGH)
        low = make_mailing("low@example.net", transport=relay, priority=Priority.LOW)
        working.take_turns(seconds=20)
        assert served == {low.reference: 200}


@pytest.mark.django_db
def test_personal_mail_that_was_asked_for_among_broadcasts_goes_its_own_way() -> None:
    mailing = make_mailing("ada@example.net", transport=make_transport(), priority=Priority.PERSONAL)
    with Plain().registered():
        later("delivery.send_shift", mailing_id=mailing.pk)
        assert run_due(1) == 1
    assert [(task.name, task.arguments) for task in engine().waiting()] == [
        ("delivery.send_personal", {"mailing_id": mailing.pk})
    ]


@pytest.mark.django_db
def test_a_broadcast_that_nobody_gets_is_finished_by_the_first_who_looks() -> None:
    mailing = make_mailing("ada@example.net", transport=make_transport())
    mailing.deliveries.update(state="skipped", skip_reason="suppressed")
    later("delivery.send_shift", mailing_id=mailing.pk)
    with Plain().registered():
        assert run_due() == 1
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.FINISHED


@pytest.mark.django_db
def test_personal_mail_that_must_wait_stays_in_its_own_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "PERSONAL_PATIENCE", 0.1)
    relay = make_transport(max_connections=1)
    mailing = make_mailing("ada@example.net", transport=relay, priority=Priority.PERSONAL)
    until = clock.now() + timedelta(seconds=30)
    Shift.objects.create(worker="other", mailing=mailing, transport=relay, until=until, connections=1)
    later("delivery.send_personal", mailing_id=mailing.pk)
    assert run_due() == 1
    assert [task.name for task in engine().waiting()] == ["delivery.send_personal"]


@pytest.mark.django_db
def test_a_broadcast_that_finds_no_connection_free_still_waits_for_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "PATIENCE", 0.1)
    relay = make_transport(max_connections=1)
    ada, bob = (make_mailing(f"{name}@example.net", transport=relay) for name in ("ada", "bob"))
    began = clock.now()
    assert turns.take(ada)
    assert roster.sign_on("first", ada, relay) == 1
    working.take_turns(seconds=0.5)
    bob.refresh_from_db()
    assert bob.turn_at is None
    with clock.set_to(began + turns.SHORT):
        assert turns.is_over("first", ada, relay, began)
    assert list(turns.waiting()) == [bob, ada]
    assert [task.name for task in engine().waiting()] == ["delivery.send_shift"]
