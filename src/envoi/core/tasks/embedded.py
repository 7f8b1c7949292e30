"""The embedded engine: tasks are rows of the same SQLite database, taken by a conditional UPDATE with a lease.

Guarantees: asking is an INSERT in the caller's transaction. A row is one worker's until its lease ends; workers push
the lease on while they live, so a killed worker's task is taken again when it ends. A worker that lost its lease
changes nothing any more: every write names the worker and the attempt. Works on any database; made for one machine.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django_tasks.base import Task

from envoi.core import clock
from envoi.core.models import TaskRow
from envoi.core.tasks import registry, running
from envoi.core.tasks.engine import Engine, Timing, Waiting
from envoi.core.tasks.heartbeats import process_name
from envoi.core.tasks.threads import Crew


class EmbeddedEngine(Engine):
    """The engine of a single machine."""

    def enqueue(self, task: Task[..., Any], args: Any, kwargs: Any) -> Any:
        self.validate_task(task)
        if args:
            raise ValueError("tasks are asked for with named arguments only")
        answer = self.asked(task, uuid.uuid4().hex, args, kwargs)
        TaskRow.objects.create(
            name=registry.name_of(task),
            queue=task.queue_name,
            arguments=answer.kwargs,
            priority=task.priority,
            available_at=task.run_after or clock.now(),
        )
        return answer

    def waiting(self) -> list[Waiting]:
        return [
            Waiting(row.name, row.arguments, row.available_at, row.priority, row.attempts)
            for row in TaskRow.objects.order_by("id")
        ]

    def is_waiting(self, name: str, until: datetime) -> bool:
        return TaskRow.objects.filter(name=name, worker="", available_at__lte=until).exists()

    def work_off(self, queues: Sequence[str], timing: Timing) -> None:
        worker = new_worker_name()
        while row := take(queues, worker, timing):
            run(row)

    def work(self, queues: Sequence[str], threads: int, kind: str, timing: Timing) -> None:
        worker = new_worker_name()
        Crew(
            take=lambda: take(queues, worker, timing),
            run=run,
            renew=lambda: renew(worker, timing),
            threads=threads,
            kind=kind,
            timing=timing,
        ).work()


def new_worker_name() -> str:
    """A name that no worker had before: pids come again, leases must not."""
    return f"{process_name()[:60]}:{uuid.uuid4().hex[:12]}"


def take(queues: Sequence[str], worker: str, timing: Timing) -> TaskRow | None:
    """Lease the most urgent task that is due; None when there is none, or others were quicker a few times in a row."""
    for _ in range(5):
        now = clock.now()
        due = TaskRow.objects.filter(queue__in=queues, available_at__lte=now)
        row = due.order_by("-priority", "available_at", "id").first()
        if row is None:
            return None
        if row.worker and (words := running.stopped_too_often(row.name, row.attempts)):
            give_up(row, words)
        elif (
            held(row)
            .filter(available_at__lte=now)
            .update(worker=worker, attempts=F("attempts") + 1, available_at=now + timing.lease)
        ):
            row.worker, row.attempts = worker, row.attempts + 1
            return row
    return None


def renew(worker: str, timing: Timing) -> None:
    """Push on the leases of everything `worker` runs."""
    TaskRow.objects.filter(worker=worker).update(available_at=clock.now() + timing.lease)


def run(row: TaskRow) -> None:
    """Run a leased task and write down what became of it, unless the lease was lost meanwhile."""
    match running.run(row.name, row.arguments, row.attempts):
        case running.Done():
            held(row).delete()
        case running.Again(wait, error):
            held(row).update(worker="", available_at=clock.now() + wait, error=error)
        case running.Failed(error):
            give_up(row, error)


def held(row: TaskRow) -> Any:
    """The row, as long as it is as we know it: same worker, same attempt."""
    return TaskRow.objects.filter(pk=row.pk, worker=row.worker, attempts=row.attempts)


def give_up(row: TaskRow, error: str) -> None:
    with transaction.atomic():
        deleted, _ = held(row).delete()
        if deleted:
            running.keep(row.name, row.queue, row.arguments, row.attempts, error)
