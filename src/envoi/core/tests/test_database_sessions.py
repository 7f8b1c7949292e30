"""Whose clock counts, and how long a dead client may hold its locks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from envoi.core import clock, database_sessions
from envoi.core.database_sessions import follow

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _uncorrected() -> Iterator[None]:
    before = clock.correction()
    clock.correct(timedelta(0))
    yield
    clock.correct(before)


def after(**time: float) -> datetime:
    return NOON + timedelta(**time)


def test_a_machine_that_is_ten_minutes_fast_goes_by_the_database(caplog: pytest.LogCaptureFixture) -> None:
    follow(NOON, before=after(minutes=10), after=after(minutes=10))
    assert clock.correction() == timedelta(minutes=-10)
    assert abs(clock.now() - clock.own() + timedelta(minutes=10)) < timedelta(seconds=1)
    assert caplog.messages == [
        "The clock of this machine and that of the database are 600 seconds apart; Envoi goes by the database's. "
        "Let NTP set both."
    ]


def test_it_is_said_once_and_forgotten_when_the_clock_was_set(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        follow(NOON, before=after(minutes=-10), after=after(minutes=-10))
    assert len(caplog.messages) == 1
    follow(NOON, before=NOON, after=NOON)
    assert clock.correction() == timedelta(0)


def test_clocks_that_ntp_keeps_are_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    follow(NOON, before=after(milliseconds=200), after=after(milliseconds=210))
    assert clock.correction() == timedelta(0)
    assert caplog.messages == []


def test_an_answer_that_took_long_proves_no_difference() -> None:
    follow(NOON, before=after(seconds=-3), after=NOON)
    assert clock.correction() == timedelta(0)


def test_a_moment_that_a_test_has_set_is_not_corrected() -> None:
    clock.correct(timedelta(hours=1))
    with clock.set_to(NOON):
        assert clock.now() == NOON


@pytest.mark.django_db
def test_the_server_forgets_a_client_that_fell_silent(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    database_sessions.begin(connection)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('tcp_keepalives_idle'), current_setting('tcp_user_timeout')")
            assert cursor.fetchone() == ("15", "30000")
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            assert cursor.fetchone() == ("2min",)
    # The same machine, so the same clock.
    assert (clock.correction(), caplog.messages) == (timedelta(0), [])
