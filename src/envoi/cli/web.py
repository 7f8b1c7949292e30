"""`envoi web`: the web server alone, for installations on several machines."""

from __future__ import annotations

import argparse

from envoi.cli import serving


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--threads", type=int, default=serving.default_web_threads(), help="threads per process")


def run(args: argparse.Namespace) -> int:
    serving.quiet_logs()
    return serving.web(args.host, args.port, args.workers, args.threads)
