"""`envoi worker`: background tasks and, with `--scheduler`, recurring work; for installations on several machines."""

from __future__ import annotations

import argparse

from envoi.cli import serving


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Run background tasks until SIGTERM; then finish what is in flight."
    parser.add_argument("--queue", action="append", choices=["default", "sending"], help="only this queue (repeatable)")
    parser.add_argument("--threads", type=int, default=4, help="tasks at once (default: 4)")
    parser.add_argument("--scheduler", action="store_true", help="ask for recurring work instead; any number may run")


def run(args: argparse.Namespace) -> int:
    serving.quiet_logs()
    if args.scheduler:
        return serving.schedule()
    queues = args.queue or ["default", "sending"]
    kind = "sender" if queues == ["sending"] else "worker"
    return serving.work(kind, queues, args.threads)
