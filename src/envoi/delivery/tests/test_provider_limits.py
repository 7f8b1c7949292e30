"""Limits towards single providers, as an operator sets them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from envoi.accounts.models import AuditEntry
from envoi.core import clock
from envoi.delivery.actions.problems import SendingRefused
from envoi.delivery.actions.provider_limits import LimitValues, end_slowdown, set_limits
from envoi.delivery.models import ProviderLimit, ProviderPace, Transport
from envoi.delivery.queries.provider_paces import slow_down, slowed, tidy
from envoi.delivery.tests.factories import make_transport

pytestmark = pytest.mark.django_db


def test_limits_are_kept_by_provider_and_replaced_as_a_whole() -> None:
    transport = make_transport()
    set_limits(transport, [LimitValues("@Gmail.com", per_minute=60), LimitValues("", at_once=2)], actor=None)

    set_limits(transport, [LimitValues("hotmail.fr", 30, 1), LimitValues("", at_once=3)], actor=None)

    assert list(ProviderLimit.objects.order_by("provider").values_list("provider", "per_minute", "at_once")) == [
        ("", None, 3),
        ("outlook.com", 30, 1),
    ]
    assert Transport.objects.get().minds_providers
    assert AuditEntry.objects.filter(verb="limit_providers").count() == 2


def test_without_limits_the_watchdog_lets_the_transport_look_away_again() -> None:
    transport = make_transport()
    set_limits(transport, [LimitValues("gmail.com", per_minute=60)], actor=None)
    tidy()
    assert Transport.objects.get().minds_providers

    set_limits(transport, [], actor=None)
    tidy()

    assert not Transport.objects.get().minds_providers


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        ([LimitValues("gmail.com", 1), LimitValues("googlemail.com", 2)], "Name each provider once"),
        ([LimitValues("gmail.com")], "Enter messages per minute or messages at once for google.com."),
        ([LimitValues("https://x.org", 1)], "“https://x.org” is no domain; enter one such as gmail.com."),
        ([LimitValues("x.org", per_minute=0)], "Enter 1 or more messages per minute for x.org."),
        ([LimitValues("", at_once=0)], "Enter 1 or more messages at once for all others."),
        ([LimitValues("x.org", at_once=40_000)], "Enter 1 or more messages at once for x.org."),
    ],
)
def test_limits_that_cannot_be_kept_are_refused_with_what_would_do(limits: list[LimitValues], problem: str) -> None:
    transport = make_transport()

    with pytest.raises(SendingRefused) as refused:
        set_limits(transport, limits, actor=None)

    assert str(refused.value.problems["provider_limits"]).startswith(problem)
    assert not ProviderLimit.objects.exists()
    assert not Transport.objects.get().minds_providers


def test_a_slow_down_can_be_ended_by_hand() -> None:
    transport = make_transport()
    slow_down(transport, "google.com", 10.0, 4, "421 4.7.28 unusual rate")
    slow_down(transport, "yahoo.com", 10.0, 4, "421 4.7.0 [TSS04]")

    assert end_slowdown(transport, "google.com", actor=None)
    assert not end_slowdown(transport, "google.com", actor=None)

    assert [one.provider for one in slowed(transport)] == ["yahoo.com"]


def test_the_latest_complaint_is_shown_also_when_it_did_not_halve_again() -> None:
    transport = make_transport()
    with clock.set_to(clock.now()):
        slow_down(transport, "google.com", 10.0, 4, "421 first")
        with clock.set_to(clock.now() + timedelta(seconds=5)):
            slow_down(transport, "google.com", 10.0, 4, "421 second")

            [google] = slowed(transport)

    assert (google.reply, google.per_minute, google.at_once) == ("421 second", 300.0, 2)
    assert ProviderPace.objects.count() == 1
