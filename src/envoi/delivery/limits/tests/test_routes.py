"""Over which transport a turn goes, and what people are told while none is open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest

from envoi.core import clock
from envoi.delivery.limits.routes import choose, opens_at, why_waiting
from envoi.delivery.models import Mailing, Pace, Route, SenderIdentity, Shift, Transport, WarmUpDay
from envoi.delivery.queries import routes
from envoi.delivery.tests.factories import make_identity, make_mailing, make_transport
from envoi.instance import actions as settings

pytestmark = pytest.mark.django_db

# A Saturday.
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def at_noon() -> Iterator[None]:
    with clock.set_to(NOON):
        yield


def over(*ways: tuple[Transport, int], priority: int = 0) -> Mailing:
    """A mailing whose sender has these transports with these weights."""
    (own, weight), *further = ways
    mailing = make_mailing("ada@example.org", transport=own)
    SenderIdentity.objects.filter(pk=mailing.identity_id).update(weight=weight)
    for transport, share in further:
        Route.objects.create(identity=mailing.identity, transport=transport, weight=share)
    mailing.priority = priority
    return mailing


def pause(transport: Transport, resume_at: datetime | None = None) -> None:
    transport.paused_at, transport.paused_reason, transport.resume_at = NOON, "421 busy", resume_at
    transport.save()


def test_with_one_way_it_is_the_senders_own_transport() -> None:
    main = make_transport()

    mailing = over((main, 1))

    assert (choose(mailing), opens_at(mailing), why_waiting(mailing)) == (main, None, "")


def test_messages_are_shared_by_weight() -> None:
    main, second = make_transport(), make_transport()
    mailing = over((main, 1), (second, 3))
    carried: Counter[Transport | None] = Counter()

    for _ in range(100):
        chosen = choose(mailing)
        assert chosen is not None
        carried[chosen] += 50
        routes.count(mailing.identity, chosen, 50)

    assert carried == {main: 1250, second: 3750}


def test_senders_who_choose_at_the_same_time_spread() -> None:
    main, second = make_transport(), make_transport()
    mailing = over((main, 1), (second, 1))
    Shift.objects.create(worker="ada", mailing=mailing, transport=main, until=NOON + timedelta(minutes=1))

    assert choose(mailing) == second


def test_weight_nought_carries_only_what_the_others_cannot() -> None:
    main, spare = make_transport(), make_transport()
    mailing = over((main, 1), (spare, 0))
    routes.count(mailing.identity, main, 90_000)

    assert choose(mailing) == main
    pause(main)
    assert choose(mailing) == spare


def test_beside_a_transport_at_its_limit_the_next_one_carries() -> None:
    main, spare = make_transport(per_hour=60), make_transport()
    mailing = over((main, 1), (spare, 0))
    Pace.objects.create(transport=main, next_at=NOON + timedelta(seconds=4))

    assert choose(mailing) == main
    # Somebody uses up its rate already.
    Shift.objects.create(worker="ada", mailing=mailing, transport=main, until=NOON + timedelta(minutes=1))
    assert choose(mailing) == spare
    Shift.objects.all().delete()
    Pace.objects.update(next_at=NOON + timedelta(seconds=40))
    assert choose(mailing) == spare


def test_counts_are_halved_now_and_then_so_that_nothing_long_ago_is_made_up_for() -> None:
    main, second = make_transport(), make_transport()
    mailing = over((main, 1), (second, 1))

    routes.count(mailing.identity, second, 40_000)
    routes.count(mailing.identity, main, 120_000)

    assert SenderIdentity.objects.get(pk=mailing.identity_id).carried == 60_000
    assert Route.objects.get().carried == 20_000


def test_when_no_way_is_open_the_first_that_opens_is_waited_for() -> None:
    main, second = make_transport(open_from=time(18), open_until=time(20)), make_transport(name="Second")
    pause(second, resume_at=NOON + timedelta(minutes=5))
    mailing = over((main, 1), (second, 1))

    assert choose(mailing) is None
    assert opens_at(mailing) == NOON + timedelta(minutes=5)
    assert why_waiting(mailing) == "421 busy"


def test_one_open_way_is_enough() -> None:
    main, second = make_transport(), make_transport()
    pause(main)
    mailing = over((main, 1), (second, 1))

    assert (choose(mailing), opens_at(mailing), why_waiting(mailing)) == (second, None, "")


def test_hours_are_told_in_the_time_of_the_installation() -> None:
    settings.change({"time_zone": "Europe/Brussels"}, actor=None)
    mailing = over((make_transport("Main", open_from=time(18), open_until=time(20)), 1))

    assert why_waiting(mailing) == "Outside the hours of “Main”; sending goes on at 21 Nov 2026, 18:00."
    assert opens_at(mailing) == datetime(2026, 11, 21, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "until", "why"),
    [
        (30, NOON + timedelta(minutes=20), "“Main” sends in portions; the next one leaves at 21 Nov 2026, 12:20."),
        (None, None, "“Main” sends in portions; the next one is begun by “envoi send-due”."),
    ],
)
def test_between_two_portions_people_are_told_when_the_next_one_leaves(
    minutes: int | None, until: datetime | None, why: str
) -> None:
    main = make_transport("Main", release=Transport.Release.QUEUED, portion=5, portion_minutes=minutes)
    Pace.objects.create(transport=main, next_at=NOON, run_left=0, run_at=NOON - timedelta(minutes=10))
    mailing = over((main, 1))

    assert (choose(mailing), opens_at(mailing), why_waiting(mailing)) == (None, until, why)


def test_a_warm_up_that_is_used_up_waits_for_tomorrow_on_every_way() -> None:
    mailing = over((make_transport(), 1), (make_transport(), 1))
    identity = mailing.identity
    identity.warm_up_from, identity.warm_up_first = date(2026, 11, 21), 200
    identity.save()
    WarmUpDay.objects.create(identity=identity, day=date(2026, 11, 21), count=200)

    assert choose(mailing) is None
    assert opens_at(mailing) == datetime(2026, 11, 22, tzinfo=UTC)
    assert why_waiting(mailing) == (
        "The warm-up of news@example.org allows 200 messages today; sending goes on at 22 Nov 2026, 00:00."
    )


def test_a_long_wait_for_the_next_slot_is_told_and_a_short_one_is_not() -> None:
    main = make_transport("Main", per_hour=10)
    pace = Pace.objects.create(transport=main, next_at=NOON + timedelta(seconds=50))
    mailing = over((main, 1))

    assert (choose(mailing), opens_at(mailing)) == (None, NOON + timedelta(seconds=49))
    assert why_waiting(mailing) == ""
    pace.next_at = NOON + timedelta(minutes=5)
    pace.save()
    assert why_waiting(mailing) == "“Main” is at its limit; the next message leaves at 21 Nov 2026, 12:05."


def test_personal_mail_waits_for_nothing_but_a_pause_and_its_own_rate() -> None:
    closed = make_transport(
        open_from=time(18), open_until=time(20), release=Transport.Release.QUEUED, portion=1, per_hour=60
    )
    Pace.objects.create(transport=closed, next_at=NOON + timedelta(hours=1), run_left=0)
    mailing = over((closed, 1), priority=Mailing.Priority.PERSONAL)

    assert choose(mailing) == closed
    pause(closed)
    assert choose(mailing) is None


def test_choosing_costs_a_few_statements(django_assert_max_num_queries: object) -> None:
    identity = make_identity(make_transport())
    mailing = make_mailing("ada@example.org", transport=identity.transport)

    with django_assert_max_num_queries(2):  # type: ignore[operator]
        choose(mailing)
