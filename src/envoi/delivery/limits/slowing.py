"""Slowing down towards a receiver who says that it is too much, and going back slowly.

Additive increase, multiplicative decrease, the rule by which TCP shares a line (Chiu and Jain 1989): each complaint
halves, at most once in ten seconds, each minute without one gives a twentieth of the full rate back. What is allowed
follows from the last cut and the time since, so nobody has to wake up in order to give something back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

CUT_AT_MOST_EVERY = timedelta(seconds=10)
STEP_EVERY = timedelta(minutes=1)
STEPS_TO_FULL = 20
# One message a minute: whoever still refuses that is not asking for less, and the retries are spaced out anyway.
SLOWEST = 1 / 60


@dataclass(frozen=True, slots=True)
class Slowdown:
    """How far it was slowed down.

    Attributes:
        since: the first complaint.
        cut_at: the last that halved.
        rate: messages per second right after `cut_at`; `full_rate` is where it goes back to.
        at_once: messages at once right after `cut_at`, and in full.
    """

    since: datetime
    cut_at: datetime
    rate: float
    full_rate: float
    at_once: int
    full_at_once: int


def rate_at(slowdown: Slowdown, now: datetime) -> float:
    """The messages per second that are allowed `now`."""
    return min(slowdown.full_rate, slowdown.rate + _steps(slowdown, now) * slowdown.full_rate / STEPS_TO_FULL)


def at_once_at(slowdown: Slowdown, now: datetime) -> int:
    """The messages that may be on their way at once `now`."""
    return min(slowdown.full_at_once, slowdown.at_once + _steps(slowdown, now))


def over(slowdown: Slowdown, now: datetime) -> bool:
    """Whether everything has been given back."""
    return rate_at(slowdown, now) >= slowdown.full_rate and at_once_at(slowdown, now) >= slowdown.full_at_once


def cut(before: Slowdown | None, now: datetime, rate: float, at_once: int) -> Slowdown:
    """After a complaint. `rate` and `at_once` are those in force (the limit, or what was measured) when nothing was
    slowed down before."""
    if before is None or over(before, now):
        rate, at_once = max(rate, SLOWEST), max(at_once, 1)
        return Slowdown(now, now, max(rate / 2, SLOWEST), rate, max(at_once // 2, 1), at_once)
    if now - before.cut_at < CUT_AT_MOST_EVERY:
        return before
    return Slowdown(
        before.since,
        now,
        max(rate_at(before, now) / 2, SLOWEST),
        before.full_rate,
        max(at_once_at(before, now) // 2, 1),
        before.full_at_once,
    )


def _steps(slowdown: Slowdown, now: datetime) -> int:
    return max(0, int((now - slowdown.cut_at) / STEP_EVERY))
