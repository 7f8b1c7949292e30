"""What an engine is: a backend of Django's Tasks interface that can also work, look and be asked what waits."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django_tasks import task_backends
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskResult, TaskResultStatus

from envoi.core import clock


@dataclass(frozen=True, slots=True)
class Timing:
    """How an engine's workers tell life from death.

    Attributes:
        lease: a worker silent for so long has died; its tasks run again.
        heartbeat: how often a living worker speaks; a fraction of `lease`.
        poll: how long a task may wait unseen when nothing else wakes a worker.
        grace: how long a stopping worker waits for what it runs.
    """

    lease: timedelta = timedelta(seconds=25)
    heartbeat: timedelta = timedelta(seconds=5)
    poll: timedelta = timedelta(seconds=0.2)
    grace: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task that was asked for and has not ended."""

    name: str
    arguments: dict[str, Any]
    run_after: datetime | None
    priority: int
    attempts: int


class Engine(BaseTaskBackend):
    """The port. Both engines keep the promise of `envoi.core.tasks`."""

    supports_defer = True
    supports_priority = True

    @abstractmethod
    def waiting(self) -> list[Waiting]:
        """Every task that waits or runs, oldest first."""

    @abstractmethod
    def is_waiting(self, name: str, until: datetime) -> bool:
        """Whether a task of this name waits, and nothing but a free worker is missing at the moment `until`."""

    @abstractmethod
    def work_off(self, queues: Sequence[str], timing: Timing) -> None:
        """Run, in this thread's own time, everything that is due, then return."""

    @abstractmethod
    def work(self, queues: Sequence[str], threads: int, kind: str, timing: Timing) -> None:
        """Run tasks of `queues`, as many at once as `threads`, until `stopping()`; then finish what is in flight."""

    def asked(self, task: Task[..., Any], identifier: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Django's answer to a request."""
        return TaskResult(
            task=task,
            id=identifier,
            status=TaskResultStatus.READY,
            enqueued_at=clock.now(),
            started_at=None,
            finished_at=None,
            last_attempted_at=None,
            args=list(args),
            kwargs=kwargs,
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )


def engine() -> Engine:
    """The engine of this installation (`TASKS` in the settings)."""
    return cast("Engine", task_backends["default"])
