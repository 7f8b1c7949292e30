"""The threads of an embedded worker: one looks for work, some do it, one says that the worker lives."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from envoi.core.models import TaskRow
from envoi.core.tasks import ending, heartbeats, news
from envoi.core.tasks.engine import Timing

logger = logging.getLogger("envoi.tasks")


class Crew:
    """Runs until this process is asked to stop. A database that is away for a while is waited for."""

    def __init__(
        self,
        *,
        take: Callable[[], TaskRow | None],
        run: Callable[[TaskRow], None],
        renew: Callable[[], None],
        threads: int,
        kind: str,
        timing: Timing,
    ) -> None:
        self.take, self.run, self.renew = take, run, renew
        self.threads, self.kind, self.timing = threads, kind, timing
        self.free = threading.Semaphore(threads)
        self.ended = threading.Event()
        self.in_vain = False

    def work(self) -> None:
        """Work until `stopping()`, then until what is in flight has ended or the grace is over."""
        speaker = threading.Thread(target=self.speak, name="heartbeat", daemon=True)
        speaker.start()
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="task")
        while not ending.stopping():
            if self.free.acquire(timeout=self.timing.poll.total_seconds()):
                self.begin_one(pool)
        for _ in range(self.threads):
            if not self.free.acquire(timeout=self.timing.grace.total_seconds()):
                logger.warning("A task did not end in time; it will run again after the next start.")
                break
        pool.shutdown(wait=False, cancel_futures=True)
        self.ended.set()
        speaker.join(timeout=2)
        heartbeats.leave(self.kind)
        connections.close_all()

    def begin_one(self, pool: ThreadPoolExecutor) -> None:
        """Hand one due task to a thread; when there is none, wait a moment."""
        seen = 0
        try:
            seen = news.version()
            row = self.take()
        except DatabaseError as error:
            logger.warning("The task queue cannot be read, next try in 1 s: %s", error)
            close_old_connections()
            row = None
            ending.wait(1)
        if row is None:
            self.free.release()
            self.in_vain = news.wait(seen, self.timing.poll.total_seconds(), busy=self.in_vain)
        else:
            self.in_vain = False
            pool.submit(self.do, row)

    def do(self, row: TaskRow) -> None:
        close_old_connections()
        try:
            self.run(row)
        except Exception:
            # Only the bookkeeping can raise here; the lease ends by itself and the task runs again.
            logger.exception("What became of task %s could not be written down", row)
        finally:
            close_old_connections()
            self.free.release()

    def speak(self) -> None:
        """Renew the leases and the sign of life until the crew has ended."""
        while True:
            try:
                self.renew()
                heartbeats.beat(self.kind)
            except DatabaseError as error:
                logger.warning("The worker cannot renew its leases: %s", error)
                close_old_connections()
            if self.ended.wait(self.timing.heartbeat.total_seconds()):
                connections.close_all()
                return
