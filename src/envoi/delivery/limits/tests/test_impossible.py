"""Settings under which nothing, or not what was meant, would leave."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest

from envoi.delivery.limits.impossible import doubts_of_sender, doubts_of_transport
from envoi.delivery.models import SenderIdentity, Transport

QUEUED = Transport.Release.QUEUED


@pytest.mark.parametrize(
    ("fields", "text", "stops"),
    [
        ({"open_days": ""}, "no day is chosen on which it sends", True),
        ({"open_from": time(9)}, "of its hours only one end is set; the other counts as midnight", False),
        ({"max_connections": 0}, "it may have no connection", True),
        (
            {"per_second": 1, "per_hour": 5000},
            "5000 messages per hour are more than 1 per second allow; the smaller rate holds",
            False,
        ),
        ({"release": QUEUED, "portion": 0, "portion_minutes": 5}, "its portions hold no message", True),
        (
            {"release": QUEUED, "portion": 100},
            "it sends in portions, and only “envoi send-due” begins one",
            False,
        ),
        (
            {"release": QUEUED, "portion": 700, "portion_minutes": 10, "per_second": 1},
            "a portion of 700 takes longer at its rate than the 10 minutes until the next; "
            "the rest of a portion is not made up for",
            False,
        ),
    ],
)
def test_limits_that_do_not_fit_are_named(fields: dict[str, Any], text: str, stops: bool) -> None:
    [doubt] = doubts_of_transport(Transport(name="Main", **fields))

    assert (doubt.text, doubt.stops) == (text, stops)
    assert doubt.hint


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"per_second": 1, "per_hour": 3600, "open_from": time(22), "open_until": time(6)},
        {"release": QUEUED, "portion": 600, "portion_minutes": 10, "per_second": 1},
    ],
)
def test_limits_that_fit_are_not_mentioned(fields: dict[str, Any]) -> None:
    assert list(doubts_of_transport(Transport(name="Main", **fields))) == []


def test_a_warm_up_that_cannot_end_is_named() -> None:
    began = {"warm_up_from": date(2026, 11, 21)}

    assert [one.text for one in doubts_of_sender(SenderIdentity(**began, warm_up_growth=0))] == [
        "its warm-up does not grow: 200 messages a day for ever"
    ]
    assert [one.stops for one in doubts_of_sender(SenderIdentity(**began, warm_up_first=0))] == [True]
    assert list(doubts_of_sender(SenderIdentity(**began))) == list(doubts_of_sender(SenderIdentity())) == []
