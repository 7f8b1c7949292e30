"""The engine for PostgreSQL: procrastinate, through its Django app; workers on any number of machines.

Guarantees: asking is an INSERT by Django's own connection, so in the caller's transaction. Workers speak every few
seconds; jobs of one that fell silent are put back by any living worker (procrastinate itself leaves them
in `doing` for ever). A database that is away for a while is waited for.
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

from envoi.core.tasks import absence, ending, heartbeats, registry, running
from envoi.core.tasks.engine import Engine, Timing, Waiting
from envoi.core.tasks.queue_manager import TRY_AGAIN, Manager

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
        absence.tell_in_one_line()
        # Whoever starts it is told at once that the database is away; later it is waited for.
        look_for_server()
        while not ending.stopping():
            try:
                look_for_server()
                asyncio.run(work(queues, threads, timing, wait=True, kind=kind))
            except (ConnectorException, DatabaseError, psycopg.Error) as error:
                if absence.is_forgotten(error):
                    logger.warning("Others took this worker for dead while the database was away; it begins anew.")
                elif absence.is_absence(error):
                    logger.warning("The task queue cannot be read, next try soon: %s", absence.words_of(error))
                else:
                    raise DatabaseError(f"the task queue cannot be read: {absence.words_of(error)}") from error
                ending.wait(TRY_AGAIN)


def look_for_server() -> None:
    """Fail with the database's own words and at once; a pool tries for half a minute and then says less.

    Raises:
        django.db.OperationalError: it does not answer.
    """
    try:
        connection.ensure_connection()
    finally:
        connections.close_all()


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


def worker_app() -> tuple[App, Manager]:
    """An app with its own connections for workers, and every declared task; and what asks for it."""
    app = DjangoApp(connector=PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=4))
    app.job_manager = manager = Manager(app.connector)
    for name in registry.registered():
        app.task(name=name, retry=Backoff(), pass_context=True)(runner(name))
    return app, manager


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
    app, manager = worker_app()
    async with app.open_async():
        await put_back_stalled(manager, timing)
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
            [asyncio.create_task(look_after(manager, timing, kind)), asyncio.create_task(wait_for_stop())]
            if wait
            else []
        )
        await asyncio.wait([worker, *side[1:]], return_when=asyncio.FIRST_COMPLETED)
        if not worker.done():
            worker.cancel()
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await worker
        finally:
            # Until then: who waits for the end of a task still lives.
            for task in side:
                task.cancel()
            await asyncio.gather(*side, return_exceptions=True)
        if kind:
            await sync_to_async(quietly, thread_sensitive=False)(lambda: heartbeats.leave(kind))


async def wait_for_stop() -> None:
    while not ending.stopping():
        await asyncio.sleep(0.1)


async def look_after(manager: Manager, timing: Timing, kind: str) -> None:
    """Say that this worker lives, and put back what dead ones left, every few seconds."""
    while True:
        await sync_to_async(quietly, thread_sensitive=False)(lambda: heartbeats.beat(kind))
        try:
            await manager.give_sign_of_life()
            await put_back_stalled(manager, timing)
        except ConnectorException as error:
            logger.warning("Dead workers cannot be looked for, next try soon: %s", absence.words_of(error))
        await asyncio.sleep(timing.heartbeat.total_seconds())


async def put_back_stalled(manager: Manager, timing: Timing) -> None:
    """Make every job whose worker fell silent due again; two workers may do so at once."""
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=timing.lease.total_seconds()):
        begun = job.attempts + 1
        words = running.stopped_too_often(job.task_name, begun)
        try:
            if words is None:
                await manager.retry_job(job)
            else:
                await manager.finish_job(job, Status.FAILED, delete_job=True)
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
