"""Background work: declare it, ask for it, run it.

`@task("delivery.send_shift", queue="sending")` declares a function of a domain's `tasks.py`;
`later("delivery.send_shift", mailing=7)` asks for it by name, in the caller's transaction. Two engines stand
behind Django's Tasks interface: one embedded in SQLite (`embedded.py`), procrastinate on PostgreSQL (`queue.py`); one
contract suite runs on both.

Guarantee: a task asked for in a transaction that commits is run at least once; its worker may be killed at any moment.
So every task is repeatable. A task that raises is tried again, later and later, and is at last kept with its error.
"""

from envoi.core.tasks.ending import stopping
from envoi.core.tasks.registry import Definition, UnknownTask, later, later_unless_waiting, registered, task

__all__ = ["Definition", "UnknownTask", "later", "later_unless_waiting", "registered", "stopping", "task"]
