"""`envoi worker`: background tasks, sending and recurring work; on as many machines as one likes."""

from __future__ import annotations

import argparse
import gc

from django.db import connection, connections

from envoi.cli import crew, serving
from envoi.cli.faults import Stop
from envoi.cli.supervisor import Supervisor
from envoi.core.tasks import heartbeats


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Run background tasks and send until SIGTERM; then finish what is in flight."
    parser.add_argument("--queue", action="append", choices=["default", "sending"], help="only this queue (repeatable)")
    parser.add_argument("--senders", type=crew.at_least_one, help="processes that send (default: one more than cores)")
    parser.add_argument("--threads", type=crew.at_least_one, default=4, help="other tasks at once (default: 4)")
    parser.add_argument("--no-scheduler", action="store_true", help="leave recurring work to other workers")


def run(args: argparse.Namespace) -> int:
    serving.quiet_logs()
    children = crew.children(args.queue or ["default", "sending"], args.senders, args.threads)
    if not args.no_scheduler:
        children.insert(0, crew.scheduler())
    # A database that is away at the start is for the person who starts it; later it is waited for.
    connection.ensure_connection()
    if differs := heartbeats.disagreement():
        raise Stop(f"{differs} Set it alike on every machine, or stop the others first.")
    connections.close_all()
    # What is loaded stays in pages that the children share; the collector must not touch (copy) them.
    gc.freeze()
    supervisor = Supervisor(children, crew.say)
    supervisor.start()
    try:
        while not supervisor.stopping:
            supervisor.tick()
    finally:
        supervisor.stop()
    return 0
