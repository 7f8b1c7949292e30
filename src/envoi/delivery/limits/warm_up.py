"""Warm-up: how many messages a new sender may send on a day, growing from day to day.

Receivers trust an unknown sender with little mail at first; who begins with a hundred thousand is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

# Nobody warms up for longer; it keeps the power below from growing past all numbers.
LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Plan:
    """A warm-up.

    Attributes:
        begins: its first day, in the installation's time zone.
        first: messages on that day.
        growth: how many percent more each day has than the one before.
        until: it is over on the day that would allow so many.
    """

    begins: date
    first: int
    growth: int
    until: int


def allowed(plan: Plan, day: date) -> int | None:
    """How many messages may leave on `day`; None when the warm-up is over. Days before the first count as the first."""
    passed = min(max((day - plan.begins).days, 0), LONGEST)
    if passed * math.log1p(plan.growth / 100) >= math.log(max(plan.until, 1) / max(plan.first, 1)):
        return None
    return int(plan.first * (1 + plan.growth / 100) ** passed + 1e-6)


def days(plan: Plan, most: int = 60) -> list[int]:
    """The numbers of the first `most` days, as far as the warm-up goes."""
    numbers = []
    for passed in range(most):
        number = allowed(plan, date.fromordinal(plan.begins.toordinal() + passed))
        if number is None:
            break
        numbers.append(number)
    return numbers
