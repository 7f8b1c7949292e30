"""`envoi bench`: measure this machine, in a throw-away installation; anybody can repeat what is claimed."""

from __future__ import annotations

import argparse

from envoi.cli.bench import faults, notices


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    notices.add_arguments(what.add_parser("notices", help="what does this customer see, and how many ask at once"))
    faults.add_arguments(what.add_parser("faults", help="kill senders again and again: is anybody lost or doubled"))


def run(args: argparse.Namespace) -> int:
    return faults.run(args) if args.what == "faults" else notices.run(args)
