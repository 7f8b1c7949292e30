"""The engine for PostgreSQL: procrastinate, through its Django app; workers on any number of machines.

Guarantees: asking is an INSERT by Django's own connection, so in the caller's transaction. Workers speak every few
seconds; jobs of one that fell silent are put back by any living worker (procrastinate itself leaves them
in `doing` for ever).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import psycopg
from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError
from django.db import connection, connections
from django.db.models import Q
from django_tasks.base import Task
from procrastinate import App, JobContext, RetryDecision
from procrastinate.contrib.django import DjangoApp, connector_params
from procrastinate.contrib.django import app as django_app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.psycopg_connector import PsycopgConnector
from procrastinate.retry import BaseRetryStrategy

from envoi.core.tasks import ending, heartbeats, registry, running
from envoi.core.tasks.engine import Engine, Timing, Waiting

logger = logging.getLogger("envoi.tasks")


class QueueEngine(Engine):
    """The engine of an installation on PostgreSQL."""

    def enqueue(self, task: Task[..., Any], args: Any, kwargs: Any) -> Any:
        self.validate_task(task)
        if args:
            raise ValueError("tasks are asked for with named arguments only")
        answer = self.asked(task, "", args, kwargs)
        django_app.configure_task(
            registry.name_of(task),
            queue=task.queue_name,
            priority=task.priority,
            schedule_at=task.run_after,
        ).defer(**answer.kwargs)
        return answer

    def waiting(self) -> list[Waiting]:
        jobs = ProcrastinateJob.objects.filter(status__in=["todo", "doing"]).order_by("id")
        return [Waiting(job.task_name, job.args, job.scheduled_at, job.priority, job.attempts) for job in jobs]

    def is_waiting(self, name: str, until: datetime) -> bool:
        due = Q(scheduled_at=None) | Q(scheduled_at__lte=until)
        return ProcrastinateJob.objects.filter(due, task_name=name, status="todo").exists()

    def work_off(self, queues: Sequence[str], timing: Timing) -> None:
        asyncio.run(work(queues, 1, timing, wait=False))

    def work(self, queues: Sequence[str], threads: int, kind: str, timing: Timing) -> None:
        # At once, with the database's own words; the pool would try for half a minute and then say less.
        connection.ensure_connection()
        connections.close_all()
        try:
            asyncio.run(work(queues, threads, timing, wait=True, kind=kind))
        except (ConnectorException, psycopg.Error) as error:
            raise DatabaseError(f"the task queue cannot be read: {error.__cause__ or error}") from error


class TryAgain(Exception):
    """Tells procrastinate to put the job back."""

    def __init__(self, again: running.Again) -> None:
        super().__init__(again.error.strip().rpartition("\n")[2])
        self.again = again


class Backoff(BaseRetryStrategy):
    """Puts a job back after the wait that was decided; the engine's own strategies know only whole attempts."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if not isinstance(exception, TryAgain):
            return None
        return RetryDecision(retry_in={"seconds": int(exception.again.wait.total_seconds())})


def worker_app() -> App:
    """An app with its own connections for workers, and every declared task."""
    app = DjangoApp(connector=PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=4))
    for name in registry.registered():
        app.task(name=name, retry=Backoff(), pass_context=True)(runner(name))
    return app


def runner(name: str) -> Callable[..., None]:
    """What procrastinate calls for the task `name`, in a thread."""

    def call(context: JobContext, **arguments: Any) -> None:
        attempt = context.job.attempts + 1
        try:
            match running.run(name, arguments, attempt):
                case running.Again() as again:
                    raise TryAgain(again)
                case running.Failed(error):
                    running.keep(name, context.job.queue, arguments, attempt, error)
        finally:
            # A thread of the pool may never run again: its connection would stay open for nothing.
            connections.close_all()

    return call


async def work(queues: Sequence[str], threads: int, timing: Timing, *, wait: bool, kind: str = "") -> None:
    """Run jobs until asked to stop, or without `wait` until none is due."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(threads + 2, thread_name_prefix="task"))
    app = worker_app()
    async with app.open_async():
        await put_back_stalled(app, timing)
        worker = asyncio.create_task(
            app.run_worker_async(
                queues=list(queues),
                wait=wait,
                concurrency=threads,
                delete_jobs="successful",
                fetch_job_polling_interval=1.0,
                shutdown_graceful_timeout=timing.grace.total_seconds(),
                update_heartbeat_interval=timing.heartbeat.total_seconds(),
                stalled_worker_timeout=timing.lease.total_seconds(),
                install_signal_handlers=False,
                listen_notify=wait,
            )
        )
        side = (
            [asyncio.create_task(look_after(app, timing, kind)), asyncio.create_task(wait_for_stop())] if wait else []
        )
        await asyncio.wait([worker, *side[1:]], return_when=asyncio.FIRST_COMPLETED)
        if not worker.done():
            worker.cancel()
        for task in side:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await worker
        if kind:
            await sync_to_async(quietly, thread_sensitive=False)(lambda: heartbeats.leave(kind))


async def wait_for_stop() -> None:
    while not ending.stopping():
        await asyncio.sleep(0.1)


async def look_after(app: App, timing: Timing, kind: str) -> None:
    """Say that this worker lives, and put back what dead ones left, every few seconds."""
    while True:
        await sync_to_async(quietly, thread_sensitive=False)(lambda: heartbeats.beat(kind))
        try:
            await put_back_stalled(app, timing)
        except ConnectorException as error:
            logger.warning("Jobs of dead workers cannot be looked for, next try soon: %s", error)
        await asyncio.sleep(timing.heartbeat.total_seconds())


async def put_back_stalled(app: App, timing: Timing) -> None:
    """Make every job whose worker fell silent due again; two workers may do so at once."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=timing.lease.total_seconds()):
        begun = job.attempts + 1
        words = running.stopped_too_often(job.task_name, begun)
        try:
            if words is None:
                await app.job_manager.retry_job(job)
            else:
                await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
                await sync_to_async(quietly, thread_sensitive=False)(keep_dead(job, begun, words))
        except ConnectorException:
            logger.info("Job %s was already put back by another worker", job.id)
        else:
            logger.warning("The worker of task %s died; it runs again.", job.task_name)


def keep_dead(job: Job, begun: int, words: str) -> Callable[[], None]:
    return lambda: running.keep(job.task_name, job.queue, job.task_kwargs, begun, words)


def quietly(action: Callable[[], None]) -> None:
    """Do something that may wait for the database to come back."""
    try:
        action()
    except DatabaseError as error:
        logger.warning("The worker's bookkeeping could not be written: %s", error)
    finally:
        connections.close_all()
