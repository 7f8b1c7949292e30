"""`envoi bench`: measure this machine, in a throw-away installation; anybody can repeat what is claimed."""

from __future__ import annotations

import argparse

from envoi.cli.bench import notices


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(dest="what", required=True, metavar="notices")
    notices.add_arguments(what.add_parser("notices", help="what does this customer see, and how many ask at once"))


def run(args: argparse.Namespace) -> int:
    return notices.run(args)
