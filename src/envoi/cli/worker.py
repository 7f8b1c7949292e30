"""`envoi worker`: background tasks and recurring work, for installations on several machines."""

from __future__ import annotations

import argparse
import threading

from django.db import connection

from envoi.cli import serving
from envoi.cli.faults import Stop
from envoi.core.tasks import heartbeats


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Run background tasks until SIGTERM; then finish what is in flight."
    parser.add_argument("--queue", action="append", choices=["default", "sending"], help="only this queue (repeatable)")
    parser.add_argument("--threads", type=int, default=4, help="tasks at once (default: 4)")
    parser.add_argument("--no-scheduler", action="store_true", help="leave recurring work to other workers")


def run(args: argparse.Namespace) -> int:
    serving.quiet_logs()
    queues = args.queue or ["default", "sending"]
    kind = "sender" if queues == ["sending"] else "worker"
    serving.stop_on_signals()
    # A database that is away at the start is for the person who starts it; later it is waited for.
    connection.ensure_connection()
    if differs := heartbeats.disagreement():
        raise Stop(f"{differs} Set it alike on every machine, or stop the others first.")
    # Any number of schedulers may run: each piece of work is asked for once per interval.
    scheduler = threading.Thread(target=serving.schedule, name="scheduler", daemon=True)
    if not args.no_scheduler:
        scheduler.start()
    code = serving.work(kind, queues, args.threads)
    if scheduler.is_alive():
        scheduler.join(timeout=5)
    return code
