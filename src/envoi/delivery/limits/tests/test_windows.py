"""Hours and weekdays, over midnight and over the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from envoi.delivery.limits.windows import EVERY_DAY, Hours, closes_at, opens_at

BRUSSELS = ZoneInfo("Europe/Brussels")
WEEKDAYS = frozenset({1, 2, 3, 4, 5})
OFFICE = Hours(time(9), time(17), WEEKDAYS, BRUSSELS)
NIGHT = Hours(time(22), time(6), frozenset({5}), BRUSSELS)


def here(text: str) -> datetime:
    """A moment as the clock on the wall in Brussels shows it."""
    return datetime.fromisoformat(text).replace(tzinfo=BRUSSELS)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-20T08:59", "2026-11-20T09:00"),
        ("2026-11-20T09:00", "2026-11-20T09:00"),
        ("2026-11-20T16:59:59", "2026-11-20T16:59:59"),
        # Friday evening: Monday morning.
        ("2026-11-20T17:00", "2026-11-23T09:00"),
        ("2026-11-22T12:00", "2026-11-23T09:00"),
    ],
)
def test_office_hours_open_on_the_next_weekday(now: str, opens: str) -> None:
    assert opens_at(OFFICE, here(now)) == here(opens)


def test_office_hours_close_in_the_evening() -> None:
    assert closes_at(OFFICE, here("2026-11-20T10:00")) == here("2026-11-20T17:00")


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-20T21:59", "2026-11-20T22:00"),
        ("2026-11-20T23:30", "2026-11-20T23:30"),
        # Saturday, but still the night of Friday.
        ("2026-11-21T05:59", "2026-11-21T05:59"),
        ("2026-11-21T06:00", "2026-11-27T22:00"),
        # Friday before dawn belongs to Thursday, which is not chosen.
        ("2026-11-20T03:00", "2026-11-20T22:00"),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(now: str, opens: str) -> None:
    assert opens_at(NIGHT, here(now)) == here(opens)
    if opens_at(NIGHT, here(now)) == here(now):
        assert closes_at(NIGHT, here(now)) == here("2026-11-21T06:00")


def test_without_hours_on_some_days_neighbours_are_one_stretch() -> None:
    hours = Hours(None, None, WEEKDAYS, BRUSSELS)

    assert opens_at(hours, here("2026-11-21T12:00")) == here("2026-11-23T00:00")
    assert closes_at(hours, here("2026-11-23T12:00")) == here("2026-11-28T00:00")


def test_without_hours_on_every_day_there_is_no_limit() -> None:
    hours, now = Hours(None, None, EVERY_DAY, BRUSSELS), here("2026-11-21T12:00")

    assert hours.always
    assert (opens_at(hours, now), closes_at(hours, now)) == (now, None)


def test_without_a_day_it_never_opens() -> None:
    assert opens_at(Hours(time(9), time(17), frozenset(), BRUSSELS), here("2026-11-21T12:00")) is None


def test_when_the_clock_is_put_forward_a_time_that_does_not_exist_is_right_after_the_gap() -> None:
    # 29 March 2026: after 01:59:59 comes 03:00.
    from_the_gap_on = Hours(time(2, 30), time(5), EVERY_DAY, BRUSSELS)
    until_the_gap = Hours(time(1), time(2, 30), EVERY_DAY, BRUSSELS)

    assert opens_at(from_the_gap_on, here("2026-03-29T01:00")) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert closes_at(until_the_gap, here("2026-03-29T01:30")) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_when_the_clock_is_put_back_the_first_of_two_equal_times_counts() -> None:
    # 25 October 2026: 02:00–03:00 comes twice, first at UTC+2.
    hours = Hours(time(1), time(2, 30), EVERY_DAY, BRUSSELS)

    assert closes_at(hours, here("2026-10-25T01:30")) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    # Half past two again, an hour later: that was it for today.
    assert opens_at(hours, datetime(2026, 10, 25, 1, 15, tzinfo=UTC)) == here("2026-10-26T01:00")


@given(
    minutes=some.integers(0, 3 * 366 * 24 * 60),
    start=some.times(),
    end=some.times(),
    days=some.frozensets(some.integers(1, 7), min_size=1),
    zone=some.sampled_from(["UTC", "Europe/Brussels", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]),
)
def test_it_opens_soon_and_closes_after_it_opened(
    minutes: int, start: time, end: time, days: frozenset[int], zone: str
) -> None:
    hours, now = Hours(start, end, days, ZoneInfo(zone)), datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    opens = opens_at(hours, now)

    assert opens is not None
    assert opens >= now
    closes = closes_at(hours, opens)
    if hours.always:
        assert (opens, closes) == (now, None)
        return
    assert closes is not None
    assert closes > opens
    again = opens_at(hours, closes)
    assert again is not None
    assert again > closes
