"""For tests: run what is due, here and now, in the test's own transaction and with the test's own clock."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection

from envoi.core import clock
from envoi.core.models import TaskRow
from envoi.core.tasks import registry

DUE_JOBS = """
DELETE FROM procrastinate_jobs WHERE id = (
    SELECT id FROM procrastinate_jobs
    WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= %s)
    ORDER BY priority DESC, id LIMIT 1
) RETURNING task_name, args::text
"""


def run_due(max_tasks: int = 100) -> int:
    """Run tasks that are due, also those that they ask for, the most urgent first; how many ran.

    What a task raises is raised here.
    """
    for done in range(max_tasks):
        found = next_job() if connection.vendor == "postgresql" else next_row()
        if found is None:
            return done
        name, arguments = found
        registry.find(name).function(**arguments)
    return max_tasks


def next_row() -> tuple[str, dict[str, Any]] | None:
    row = TaskRow.objects.filter(available_at__lte=clock.now()).order_by("-priority", "available_at", "id").first()
    if row is None:
        return None
    row.delete()
    return row.name, row.arguments


def next_job() -> tuple[str, dict[str, Any]] | None:
    with connection.cursor() as cursor:
        cursor.execute(DUE_JOBS, [clock.now()])
        found = cursor.fetchone()
    return None if found is None else (found[0], json.loads(found[1]))
