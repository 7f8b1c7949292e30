"""`envoi bench`: measure this machine, in a throw-away installation; anybody can repeat what is claimed."""

from __future__ import annotations

import argparse

from envoi.cli.bench import limit, parts, signing
from envoi.cli.bench.faults import command as faults
from envoi.cli.bench.notices import command as notices
from envoi.cli.bench.send import command as send


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    send.add_arguments(what.add_parser("send", help="a whole broadcast beside Postfix's own smtp-source"))
    parts.add_arguments(what.add_parser("parts", help="what each part of a broadcast takes by itself"))
    limit.add_arguments(what.add_parser("limit", help="smtp-source beside Envoi's ledger: what can be reached here"))
    notices.add_arguments(what.add_parser("notices", help="what does this customer see, and how many ask at once"))
    signing.add_arguments(what.add_parser("dkim", help="how many messages a core signs in a second"))
    faults.add_arguments(what.add_parser("faults", help="kill senders again and again: is anybody lost or doubled"))


def run(args: argparse.Namespace) -> int:
    benches = {
        "send": send.run,
        "parts": parts.run,
        "limit": limit.run,
        "notices": notices.run,
        "dkim": signing.run,
        "faults": faults.run,
    }
    return benches[args.what](args)
