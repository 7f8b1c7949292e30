"""The pure rules: slots, warm-up, slowing down, providers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from envoi.delivery.limits import providers, rates, slowing, warm_up

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


# Slots


@pytest.mark.parametrize(
    ("per_second", "per_hour", "expected"),
    [(None, None, 0.0), (10, None, 0.1), (None, 3600, 1.0), (10, 3600, 1.0), (1, 36_000, 1.0), (0.5, None, 2.0)],
)
def test_the_stricter_rate_decides_how_far_messages_stand_apart(
    per_second: float | None, per_hour: int | None, expected: float
) -> None:
    assert rates.interval(per_second, per_hour).total_seconds() == expected


def test_slots_stand_evenly_apart_and_no_further_ahead_than_asked() -> None:
    taken = rates.take(NOON, NOON, SECOND / 4, 100, SECOND)

    assert taken.slots == [NOON + SECOND / 4 * number for number in range(5)]
    assert taken.next_at == NOON + SECOND / 4 * 5


def test_what_was_not_used_is_not_saved_up() -> None:
    assert rates.take(NOON - timedelta(hours=1), NOON, SECOND, 5, SECOND).slots == [NOON, NOON + SECOND]


def test_nothing_is_free_while_the_next_slot_is_far_away() -> None:
    later = NOON + 2 * SECOND

    assert rates.take(later, NOON, SECOND, 5, SECOND) == ([], later)


# Warm-up

PLAN = warm_up.Plan(date(2026, 11, 1), first=200, growth=50, until=1000)


@pytest.mark.parametrize(
    ("day", "allowed"), [(-3, 200), (0, 200), (1, 300), (2, 450), (3, 675), (4, None), (400, None), (100_000, None)]
)
def test_each_day_of_a_warm_up_allows_more_until_it_is_over(day: int, allowed: int | None) -> None:
    assert warm_up.allowed(PLAN, date(2026, 11, 1) + timedelta(days=day)) == allowed


def test_the_days_of_a_warm_up_can_be_shown_beforehand() -> None:
    assert warm_up.days(PLAN) == [200, 300, 450, 675]
    assert len(warm_up.days(warm_up.Plan(date(2026, 11, 1), 1, 1, 10**9), most=30)) == 30


def test_a_warm_up_without_growth_does_not_end() -> None:
    assert warm_up.allowed(warm_up.Plan(date(2026, 1, 1), 50, 0, 51), date(2030, 1, 1)) == 50


# Slowing down


def after(**time: float) -> datetime:
    return NOON + timedelta(**time)


def test_a_complaint_halves_rate_and_messages_at_once() -> None:
    slowed = slowing.cut(None, NOON, 10.0, 4)

    assert (slowing.rate_at(slowed, NOON), slowing.at_once_at(slowed, NOON)) == (5.0, 2)
    assert slowed.since == NOON


def test_complaints_within_ten_seconds_halve_once() -> None:
    first = slowing.cut(None, NOON, 10.0, 4)

    assert slowing.cut(first, after(seconds=9), 10.0, 4) == first
    second = slowing.cut(first, after(seconds=10), 10.0, 4)
    assert (second.rate, second.at_once, second.since) == (2.5, 1, NOON)


def test_each_minute_without_a_complaint_gives_a_twentieth_back_until_all_is_given_back() -> None:
    slowed = slowing.cut(None, NOON, 10.0, 4)

    assert slowing.rate_at(slowed, after(seconds=59)) == 5.0
    assert slowing.rate_at(slowed, after(minutes=1)) == 5.5
    assert slowing.at_once_at(slowed, after(minutes=1)) == 3
    assert not slowing.over(slowed, after(minutes=9, seconds=59))
    assert slowing.over(slowed, after(minutes=10))
    assert (slowing.rate_at(slowed, after(days=1)), slowing.at_once_at(slowed, after(days=1))) == (10.0, 4)


def test_a_complaint_during_the_recovery_halves_what_is_allowed_then() -> None:
    again = slowing.cut(slowing.cut(None, NOON, 10.0, 4), after(minutes=4), 99.0, 99)

    assert (again.rate, again.full_rate, again.at_once, again.full_at_once) == (3.5, 10.0, 2, 4)


def test_it_never_slows_down_to_nothing() -> None:
    slowed = slowing.cut(None, NOON, 0.0, 0)
    for number in range(1, 20):
        slowed = slowing.cut(slowed, after(seconds=10 * number), 0.0, 0)

    assert (slowed.rate, slowed.at_once) == (slowing.SLOWEST, 1)


# Providers


@pytest.mark.parametrize(
    ("domain", "mx", "provider"),
    [
        ("gmail.com", [], "google.com"),
        ("company.example", [(10, "ASPMX.L.GOOGLE.COM."), (20, "mx.other.example.")], "google.com"),
        ("company.example", [(20, "aspmx.l.google.com"), (5, "a.mail.protection.outlook.com")], "outlook.com"),
        ("skola.example", [(0, "skola-example.q-v1.mx.microsoft")], "outlook.com"),
        ("oud.example", [(5, "mx1.mail.example.co.uk"), (5, "mx0.mail.example.co.uk")], "example.co.uk"),
        ("small.example", [(10, "mail.hoster.example")], "hoster.example"),
        ("local.example", [(10, "mx")], "mx"),
        ("nobody.example", [], "nobody.example"),
        ("null.example", [(0, "")], "null.example"),
        ("åsa.example", [(1, "mailin.telia.com")], "telia.com"),
    ],
)  # fmt: skip
def test_domains_are_grouped_by_whom_their_best_mail_server_belongs_to(
    domain: str, mx: list[tuple[int, str]], provider: str
) -> None:
    assert providers.provider_of(domain, mx) == provider


def test_each_well_known_domain_stands_for_one_provider() -> None:
    assert providers.WELL_KNOWN["hotmail.fr"] == "outlook.com"
    assert providers.WELL_KNOWN["aol.com"] == "yahoo.com"
    assert set(providers.WELL_KNOWN.values()) >= {"google.com", "outlook.com", "yahoo.com", "icloud.com", "orange.fr"}


def test_the_domain_is_what_stands_after_the_last_at() -> None:
    assert providers.domain_of('"ada@home"@example.org') == "example.org"
