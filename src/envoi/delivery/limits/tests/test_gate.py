"""What the gate lets through, what it puts off, and what it remembers together with the gates of other workers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from envoi.core import clock, wording
from envoi.delivery.composers import Leased
from envoi.delivery.limits import at_providers
from envoi.delivery.limits import gate as gate_module
from envoi.delivery.limits.gate import Admission, Gate
from envoi.delivery.models import Mailing, Pace, ProviderLimit, SenderIdentity, Transport, WarmUpDay
from envoi.delivery.queries.pace import begin_run
from envoi.delivery.queries.provider_paces import slowed, tidy
from envoi.delivery.smtp import Accepted, Fault, FaultKind, NotSent, Phase, Refused, Reply
from envoi.delivery.tests.factories import make_mailing, make_transport

pytestmark = pytest.mark.django_db

# A Saturday.
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
OK = Accepted(Reply(250, "2.0.0", "ok"))
SLOWER = Refused(Reply(421, "4.7.28", "unusual rate of mail"), Phase.DOT_SENT)
HELD = NotSent(Fault(FaultKind.WITHHELD, "held"), Phase.QUEUED)


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clock stands still, so that slots come out in seconds after noon."""
    monkeypatch.setattr(gate_module, "elapsed", lambda: 0.0)
    monkeypatch.setattr(at_providers, "elapsed", lambda: 0.0)
    with clock.set_to(NOON):
        yield


def rows(number: int, domain: str = "example.org", first: int = 1) -> list[Leased]:
    return [
        Leased(at, f"{at:016x}", f"p{at}@{domain}", f"p{at}@{domain}", None, 0, NOON)
        for at in range(first, first + number)
    ]


def gate_over(transport: Transport | None = None, **mailing: Any) -> Gate:
    made = make_mailing(transport=transport or make_transport())
    for name, value in mailing.items():
        setattr(made, name, value)
    made.save()
    return Gate(made, made.identity.transport, "w")


def warm(identity: SenderIdentity, first: int) -> None:
    identity.warm_up_from, identity.warm_up_first = date(2026, 11, 21), first
    identity.save()


def gone(admission: Admission) -> list[int]:
    return [row.id for row, _ in admission.go]


# Without limits


def test_without_limits_everything_goes_at_once_and_the_database_is_not_asked(
    django_assert_num_queries: Any,
) -> None:
    gate = gate_over()
    people = rows(250)

    with django_assert_num_queries(0):
        assert gate.portion(1000) == 1000
        admission = gate.admit(people, 100)
        for row, _ in admission.go:
            gate.settled(row, OK)
        gate.look(gate._mailing, gate._transport)

    assert admission == Admission([(row, 0.0) for row in people[:100]], [], 150, None)
    with django_assert_num_queries(1):
        gate.close()


# Rates


def test_two_workers_share_the_slots_of_a_rate() -> None:
    transport = make_transport(per_second=10)
    ada, bob = gate_over(transport), gate_over(transport)

    first, second = ada.admit(rows(6), 100), bob.admit(rows(100, first=7), 100)

    assert (len(first.go), first.left) == (6, 0)
    assert (len(second.go), second.left) == (5, 95)
    assert second.next_at == NOON + timedelta(seconds=0.1)
    apart = sorted(moment for admission in (first, second) for _, moment in admission.go)
    assert apart == [number / 10 for number in range(11)]


def test_a_slow_rate_leases_only_what_can_leave_meanwhile() -> None:
    gate = gate_over(make_transport(per_hour=3600))

    assert gate.portion(1000, seconds=5) == 6


def test_nobody_leases_while_the_next_slot_is_minutes_away() -> None:
    transport = make_transport(per_hour=6)
    assert len(gate_over(transport).admit(rows(5), 100).go) == 1

    gate = gate_over(transport)
    assert gate.portion(100) == 0
    assert gate.waits_until == NOON + timedelta(minutes=10, seconds=-1)


def test_personal_mail_goes_ahead_and_pushes_broadcasts_back() -> None:
    transport = make_transport(per_second=1)
    broadcast, personal = gate_over(transport), gate_over(transport, priority=Mailing.Priority.PERSONAL)
    broadcast.admit(rows(2), 100)

    assert len(personal.admit(rows(1, first=50), 1).go) == 1

    assert Pace.objects.get().next_at == NOON + timedelta(seconds=3)
    assert broadcast.admit(rows(1, first=3), 100).next_at == NOON + timedelta(seconds=2)


def test_personal_mail_keeps_the_rate_too() -> None:
    personal = gate_over(make_transport(per_second=1), priority=Mailing.Priority.PERSONAL)

    assert gone(personal.admit(rows(30), 100)) == [1, 2]
    assert Pace.objects.get().personal_at == NOON + timedelta(seconds=2)


# Hours


def test_outside_the_hours_nothing_leaves_and_the_gate_says_until_when() -> None:
    gate = gate_over(make_transport(open_from=time(13), open_until=time(18)))

    assert gate.portion(100) == 0
    assert gate.waits_until == NOON + timedelta(hours=1)
    assert gate.admit(rows(5), 100) == Admission([], [], 5, NOON + timedelta(hours=1))
    with clock.set_to(NOON + timedelta(hours=1)):
        assert gate.portion(100) == 100
        assert len(gate.admit(rows(5), 100).go) == 5


def test_no_slot_lies_after_the_hours() -> None:
    gate = gate_over(make_transport(open_from=time(9), open_until=time(13), per_second=10))

    with clock.set_to(NOON + timedelta(minutes=59, seconds=59, milliseconds=500)):
        admission = gate.admit(rows(50), 100)

    assert (len(admission.go), admission.left) == (5, 45)


def test_personal_mail_knows_no_hours() -> None:
    closed = make_transport(open_from=time(13), open_until=time(18))

    assert len(gate_over(closed, priority=Mailing.Priority.PERSONAL).admit(rows(1), 1).go) == 1


# Portions


def test_a_run_holds_a_portion_whoever_sends_it_and_the_next_begins_in_time() -> None:
    transport = make_transport(release=Transport.Release.QUEUED, portion=30, portion_minutes=10)
    ada, bob = gate_over(transport), gate_over(transport)

    assert ada.portion(1000) == 30
    assert len(ada.admit(rows(20), 100).go) == 20
    assert bob.portion(1000) == 10
    last = bob.admit(rows(20, first=21), 100)
    assert (len(last.go), last.left, last.next_at) == (10, 10, NOON + timedelta(minutes=10))
    assert ada.portion(1000) == 0
    assert ada.waits_until == NOON + timedelta(minutes=10)
    with clock.set_to(NOON + timedelta(minutes=25)):
        assert ada.portion(1000) == 30
        assert len(ada.admit(rows(50), 100).go) == 30
    assert Pace.objects.get().run_at == NOON + timedelta(minutes=20)


def test_without_an_interval_a_run_begins_only_when_somebody_says_so() -> None:
    transport = make_transport(release=Transport.Release.QUEUED, portion=30)
    gate = gate_over(transport)

    assert gate.portion(1000) == 0
    assert gate.admit(rows(5), 100).go == []
    begin_run(transport)
    assert gate.portion(1000) == 30


def test_what_was_not_offered_is_given_back_to_the_run() -> None:
    transport = make_transport(release=Transport.Release.QUEUED, portion=30, portion_minutes=10)
    gate = gate_over(transport)
    for number, (row, _) in enumerate(gate.admit(rows(20), 100).go):
        gate.settled(row, OK if number < 15 else HELD)

    gate.close()

    assert Pace.objects.get().run_left == 15


# Warm-up


def test_a_sender_that_is_warmed_up_sends_so_many_today_and_the_rest_tomorrow() -> None:
    mailing = make_mailing(transport=make_transport())
    warm(mailing.identity, first=25)
    ada, bob = (Gate(mailing, mailing.identity.transport, name) for name in ("ada", "bob"))

    assert ada.portion(1000) == 25
    assert len(ada.admit(rows(20), 100).go) == 20
    rest = bob.admit(rows(20, first=21), 100)
    assert (len(rest.go), rest.left, rest.next_at) == (5, 15, datetime(2026, 11, 22, tzinfo=UTC))
    assert bob.portion(1000) == 0
    assert bob.waits_until == datetime(2026, 11, 22, tzinfo=UTC)
    with clock.set_to(NOON + timedelta(days=1)):
        # Half as many more.
        assert bob.portion(1000) == 37


def test_personal_mail_counts_for_the_warm_up_and_does_not_wait_for_it() -> None:
    mailing = make_mailing(transport=make_transport())
    warm(mailing.identity, first=1)
    Gate(mailing, mailing.identity.transport).admit(rows(1), 1)
    mailing.priority = Mailing.Priority.PERSONAL

    assert len(Gate(mailing, mailing.identity.transport).admit(rows(3), 3).go) == 3
    assert WarmUpDay.objects.get().count == 4


def test_what_was_not_offered_is_given_back_to_the_day() -> None:
    mailing = make_mailing(transport=make_transport())
    warm(mailing.identity, first=25)
    gate = Gate(mailing, mailing.identity.transport)
    for row, _ in gate.admit(rows(20), 100).go:
        gate.settled(row, HELD)

    gate.close()

    assert WarmUpDay.objects.get().count == 0


def test_a_warm_up_that_is_over_counts_nothing() -> None:
    mailing = make_mailing(transport=make_transport())
    warm(mailing.identity, first=100_000)

    assert len(Gate(mailing, mailing.identity.transport).admit(rows(50), 100).go) == 50
    assert not WarmUpDay.objects.exists()


# Providers


def limited(**values: Any) -> Transport:
    transport = make_transport(minds_providers=True)
    ProviderLimit.objects.create(transport=transport, **values)
    return transport


def test_mail_to_a_limited_provider_is_put_off_and_the_others_go_on() -> None:
    gate = gate_over(limited(provider="google.com", per_minute=60))
    people = [*rows(5, "gmail.com"), *rows(5, "example.org", first=6)]

    admission = gate.admit(people, 100)

    assert gone(admission) == [1, 2, 6, 7, 8, 9, 10]
    assert [row.id for row, _, _ in admission.put_off] == [3, 4, 5]
    assert [until - NOON for _, until, _ in admission.put_off] == [timedelta(seconds=s) for s in (3, 4, 5)]
    assert wording.said(admission.put_off[0][2]) == "The limit for mail to google.com is reached; its messages follow."
    assert (admission.left, admission.next_at) == (0, None)


def test_those_put_off_take_no_room_and_no_slot() -> None:
    transport = limited(provider="google.com", per_minute=60)
    transport.per_second = 5
    transport.save()
    gate = gate_over(transport)

    admission = gate.admit([*rows(10, "gmail.com"), *rows(10, first=11)], 4)

    assert gone(admission) == [1, 2, 11, 12]
    assert (len(admission.put_off), admission.left) == (8, 8)
    assert Pace.objects.get().next_at == NOON + timedelta(seconds=0.8)


def test_the_last_rows_wait_in_place_instead_of_being_put_off() -> None:
    gate = gate_over(limited(provider="google.com", per_minute=60))

    admission = gate.admit([*rows(5, "example.org"), *rows(5, "gmail.com", first=6)], 11)

    assert gone(admission) == [1, 2, 3, 4, 5, 6, 7]
    assert (admission.put_off, admission.left, admission.next_at) == ([], 3, NOON + timedelta(seconds=1))


def test_the_last_rows_ask_again_soon_when_too_many_are_on_their_way() -> None:
    gate = gate_over(limited(provider="google.com", at_once=1))

    admission = gate.admit(rows(3, "gmail.com"), 4)

    assert gone(admission) == [1]
    assert (admission.put_off, admission.left, admission.next_at) == ([], 2, NOON + timedelta(seconds=0.1))


def test_a_limit_for_all_others_holds_for_each_on_its_own() -> None:
    gate = gate_over(limited(provider="", per_minute=60))

    admission = gate.admit([*rows(3, "a.example"), *rows(3, "b.example", first=4)], 100)

    assert gone(admission) == [1, 2, 4, 5]


def test_no_more_than_so_many_are_on_their_way_to_a_provider() -> None:
    gate = gate_over(limited(provider="google.com", at_once=2))

    first = gate.admit(rows(4, "gmail.com"), 100)
    assert gone(first) == [1, 2]
    gate.settled(first.go[0][0], OK)
    assert gone(gate.admit(rows(4, "gmail.com", first=5), 100)) == [5]


def test_what_waits_far_ahead_is_put_off_for_some_minutes_and_not_for_hours() -> None:
    gate = gate_over(limited(provider="google.com", per_minute=1))

    untils = [until - NOON for _, until, _ in gate.admit(rows(500, "gmail.com"), 100).put_off]

    assert len(untils) == 499
    assert max(untils) <= timedelta(minutes=12.5)


# Slowing down


def test_a_complaint_halves_what_goes_to_that_provider_for_every_worker() -> None:
    transport = make_transport()
    ada, bob = gate_over(transport), gate_over(transport)
    for row, _ in ada.admit(rows(60, "gmail.com"), 100).go:
        ada.settled(row, OK)
    ada.settled(rows(1, "gmail.com")[0], SLOWER)

    ada.admit([], 100)

    transport.refresh_from_db()
    assert transport.minds_providers
    [google] = slowed(transport)
    # Sixty in what counts as one second.
    assert (google.provider, google.per_minute, google.full_per_minute, google.at_once) == ("google.com", 1800, 3600, 2)
    assert google.reply == "421 4.7.28 unusual rate of mail"
    bob.look(bob._mailing, transport)
    admission = bob.admit([*rows(10, "googlemail.com"), *rows(10, first=11)], 100)
    assert gone(admission) == [1, 2, *range(11, 21)]
    assert wording.said(admission.put_off[0][2]) == "google.com asked for less mail; its messages leave more slowly."


def test_of_hundreds_let_through_at_once_a_hundred_addresses_are_kept_and_stand_for_all() -> None:
    transport = make_transport()
    gate = gate_over(transport)
    gate.admit([*rows(600, "gmail.com"), *rows(200, first=601)], 1000)
    gate.settled(rows(1, "gmail.com")[0], SLOWER)
    [(_, addresses, _)] = gate._lately

    gate.admit([], 100)

    assert len(addresses) == 100
    [google] = slowed(transport)
    assert (google.provider, google.full_per_minute) == ("google.com", 600 * 60)


def test_what_was_slowed_down_comes_back_and_is_then_forgotten() -> None:
    transport = make_transport()
    gate = gate_over(transport)
    gate.admit(rows(60, "gmail.com"), 100)
    gate.settled(rows(1, "gmail.com")[0], SLOWER)
    gate.admit([], 100)

    with clock.set_to(NOON + timedelta(minutes=5)):
        assert slowed(transport)[0].per_minute == 2700
        tidy()
        assert Transport.objects.get().minds_providers
    with clock.set_to(NOON + timedelta(minutes=10)):
        assert slowed(transport) == []
        tidy()
    assert not Transport.objects.get().minds_providers


def test_a_slow_down_never_allows_more_than_what_was_set() -> None:
    transport = limited(provider="google.com", per_minute=30)
    gate = gate_over(transport)
    gate.admit(rows(2, "gmail.com"), 100)
    gate.settled(rows(1, "gmail.com")[0], SLOWER)

    gate.admit([], 100)

    assert slowed(transport)[0].per_minute == 15


def test_a_relay_that_complains_about_everybody_is_not_taken_for_the_receivers() -> None:
    gate = gate_over()
    for number in range(9):
        gate.settled(rows(1, f"d{number}.example")[0], SLOWER)
    gate.settled(rows(1)[0], OK)
    for number in range(9):
        gate.settled(rows(1, f"d{number}.example")[0], SLOWER)
    assert gate.refused_by_relay is None

    gate.settled(rows(1)[0], SLOWER)

    assert gate.refused_by_relay == SLOWER.reply
