"""What procrastinate asks PostgreSQL, kept alive through a database that is away for a while.

Procrastinate ends its listener and its sign of life with their first fault and tells nobody when no periodic tasks are
declared (its issue 1597): the worker would go on and be taken for dead. Here the listener begins again, and the worker
is known, so that Envoi gives its sign of life.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager, NotificationCallback

from envoi.core.tasks import absence

logger = logging.getLogger("envoi.tasks")

TRY_AGAIN = 1.0


class Manager(JobManager):
    """Of one worker.

    Attributes:
        worker_id: its row in `procrastinate_workers`, once it has one.
    """

    worker_id: int | None = None

    async def register_worker(self) -> int:
        self.worker_id = await super().register_worker()
        return self.worker_id

    async def give_sign_of_life(self) -> None:
        """Push on the lease of whatever this worker runs; without effect once the worker has ended.

        Raises:
            ConnectorException: the database does not answer.
        """
        if self.worker_id is not None:
            await self.update_heartbeat(self.worker_id)

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        """Listen until cancelled; work is also looked for every second, so that nothing is lost meanwhile."""
        while True:
            try:
                return await super().listen_for_jobs(on_notification=on_notification, queues=queues)
            except ConnectorException as error:
                if not absence.is_absence(error):
                    raise
                logger.warning("New tasks are not announced, next try soon: %s", absence.words_of(error))
                await asyncio.sleep(TRY_AGAIN)
