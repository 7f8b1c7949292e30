"""Run one task once and say what is to become of it. The same for every engine."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from envoi.core.models import FailedTask
from envoi.core.tasks import registry

logger = logging.getLogger("envoi.tasks")

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=1)
LONGEST_ERROR = 10_000


@dataclass(frozen=True, slots=True)
class Done:
    """The task returned."""


@dataclass(frozen=True, slots=True)
class Again:
    """The task raised and is to be tried again after `wait`."""

    wait: timedelta
    error: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The task raised for the last time."""

    error: str


Result = Done | Again | Failed


def backoff(attempt: int) -> timedelta:
    """How long to wait after the failed attempt number `attempt` (1 …): 5 s, 20 s, 80 s, 5 min 20 s … 1 h."""
    factor: int = 4 ** min(attempt - 1, 10)
    return min(FIRST_WAIT * factor, LONGEST_WAIT)


def run(name: str, arguments: dict[str, Any], attempt: int) -> Result:
    """Call the task `name`; whatever it raises becomes a result. `attempt` counts from 1."""
    try:
        definition = registry.find(name)
    except registry.UnknownTask as error:
        # Another version of Envoi may know it: a rolling upgrade must not lose the work.
        return judge(attempt, 10, str(error), name)
    try:
        definition.function(**arguments)
    except Exception as error:
        words = "".join(traceback.format_exception(error))[-LONGEST_ERROR:]
        return judge(attempt, definition.attempts, words, name)
    return Done()


def judge(attempt: int, attempts: int, error: str, name: str) -> Again | Failed:
    """What follows from a failed attempt; said in the log."""
    last_line = error.strip().rpartition("\n")[2]
    if attempt >= attempts:
        logger.error("Task %s failed for the last time (attempt %d): %s", name, attempt, last_line)
        return Failed(error)
    wait = backoff(attempt)
    logger.warning("Task %s failed (attempt %d), next try in %d s: %s", name, attempt, wait.total_seconds(), last_line)
    return Again(wait, error)


def stopped_too_often(name: str, attempts_begun: int) -> str | None:
    """Why a task whose workers died `attempts_begun` times is not begun once more; None while it may be."""
    definition = registry.registered().get(name)
    if definition is None or attempts_begun < definition.attempts:
        return None
    return f"The worker stopped {attempts_begun} times while it ran this task."


def keep(name: str, queue: str, arguments: dict[str, Any], attempts: int, error: str) -> None:
    """Write down a task that failed for good, for the people who look after the installation."""
    FailedTask.objects.create(name=name, queue=queue, arguments=arguments, attempts=attempts, error=error)
