"""Why something cannot be done to a broadcast, in words for the person who tried.

Pure; pages and the command line may import this module.
"""

from __future__ import annotations

from dataclasses import dataclass


class BroadcastError(Exception):
    """It cannot be done now; the message says why and what would help."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that stands in the way of sending.

    Attributes:
        step: the page of the wizard on which it is put right: targets, content or review.
        field: the form field concerned, or "".
        message: for a person: what is wrong and what to do.
        line: the line of the content, counted from 1, or 0.
    """

    step: str
    field: str
    message: str
    line: int = 0


class NotReady(BroadcastError):
    """The broadcast cannot be sent as it stands.

    Attributes:
        problems: everything that stands in the way, not only the first thing.
    """

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = problems
