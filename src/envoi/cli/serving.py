"""What the long-lived processes do. Each function runs until SIGTERM or SIGINT and ends what is in flight.

Called directly by `envoi web`, `worker`, `sandbox`, and in forked children by `envoi up`. Workers and scheduler need
`stop_on_signals` before; the web server and the sandbox see to signals themselves.
"""

from __future__ import annotations

import gc
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import timedelta

from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from django.db import Error as DatabaseError
from django.db import connection, connections
from django.urls import get_resolver
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from envoi.cli.giving_way import give_way
from envoi.config.recurring import RECURRING
from envoi.core.tasks import ending, scheduler
from envoi.core.tasks.engine import Timing, engine
from envoi.delivery.actions.replay import replay_all
from envoi.delivery.sandbox import server as sandbox_server
from envoi.tracking.actions.flush import flush_until

logger = logging.getLogger("envoi.delivery")

JOURNALS_EVERY = 5.0
# After how many new objects those are looked through, and after how many such times the older ones.
YOUNG = (20_000, 20, 20)
# A sender takes its turns one after the other; a second thread in its process would only take time from the first.
THREADS = {"worker": 4, "personal": 2, "sender": 1}
QUEUES = {"worker": ("default",), "personal": ("personal",), "sender": ("sending",)}


def web(host: str, port: int, workers: int, threads: int) -> int:
    """Serve the console and the readers' pages. The application is loaded before granian forks its workers."""
    application = get_wsgi_application()
    server = Granian(
        "envoi.config.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        respawn_interval=1,
        workers_kill_timeout=20,
        websockets=False,
    )

    def loaded(*_: object) -> WSGIHandler:
        """Runs in each of granian's workers: a thread that was started before the fork would not be in it."""
        threading.Thread(target=flush_until, args=(threading.Event(),), name="flush-spool", daemon=True).start()
        return application

    server.serve(target_loader=loaded, wrap_loader=False)
    return 0


def work(kind: str, queues: Sequence[str], threads: int) -> int:
    """Run background tasks, and bring in what dead workers of this machine have left."""
    if kind == "sender":
        collect_garbage_less_often()
        keep_few_pages()
        give_way()
    if kind == "personal":
        know_the_addresses()
    threading.Thread(target=tend_journals, name="journals", daemon=True).start()
    engine().work(list(queues), threads, kind, Timing())
    return 0


def know_the_addresses() -> None:
    """The first link that a process writes loads the code of every page: 0.4 s, and 2 while a broadcast begins.

    Somebody waits for a personal message, so its process does that before the first is ordered.
    """
    get_resolver().app_dict  # noqa: B018 - asking for it is what loads them


def collect_garbage_less_often() -> None:
    """For a process that makes and drops 20 small objects a message: looking for cycles among them cost 5 µs each.

    What was loaded before is not looked through again, which also keeps its memory shared with the parent.
    """
    gc.freeze()
    gc.set_threshold(*YOUNG)


def keep_few_pages() -> None:
    """A sender reads the ledger from front to back: on SQLite two megabytes of pages serve it as well as eight.

    More would fill up with the number of recipients, and be doubled by the sorting of the last count.
    """
    if connection.vendor == "sqlite":
        connections.settings["default"]["OPTIONS"]["init_command"] += "PRAGMA cache_size=-2000;"


def tend_journals() -> None:
    """Each machine sees to its own journals: the watchdog is a task, and may run on the others for hours.

    At once when it starts: others wait for what a machine that was killed knows.
    """
    wait = 0.0
    while not ending.wait(wait):
        wait = JOURNALS_EVERY
        try:
            replay_all()
        except DatabaseError as error:
            logger.warning("Journals cannot be brought in, next try soon: %s", error)
        finally:
            connections.close_all()


def schedule() -> int:
    """Ask for recurring work when its time has come."""
    scheduler.run(RECURRING, timedelta(seconds=1))
    return 0


def sandbox() -> int:
    """Receive mail on loopback and keep it for the sandbox page."""
    return sandbox_server.run()


def stop_on_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.stop())


def quiet_logs(level: int = logging.INFO) -> None:
    """Envoi's own words and other programs' warnings, one line each."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s", force=True)
    logging.getLogger("envoi").setLevel(level)
    logging.getLogger("procrastinate").setLevel(logging.ERROR)


def default_web_threads() -> int:
    """SQLite has one writer at a time; more threads would only wait for each other."""
    return 4 if connection.vendor == "sqlite" else 8
