"""Background work on contacts."""

from __future__ import annotations

from envoi.contacts.actions import import_run, imports
from envoi.core.tasks import later, task

# Short enough for a worker to stop politely, long enough that finding the place again costs little.
SECONDS = 60.0


@task("contacts.import_file")
def import_file(import_id: int) -> None:
    """Take rows of an import for a while; ask for the next turn while rows are left."""
    if import_run.work(import_id, seconds=SECONDS):
        later("contacts.import_file", import_id=import_id)


@task("contacts.tidy_imports")
def tidy_imports() -> None:
    """Give up files that nobody matched."""
    imports.tidy()
