"""`envoi check`: configuration and health, with hints."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from envoi.cli.health import State, findings

MARKS = {State.GOOD: "✓", State.NOTE: "!", State.BAD: "✗"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Look at configuration and health. Exit code 1 when something is wrong."
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    found = list(findings())
    well = all(finding.state is not State.BAD for finding in found)
    if args.json:
        print(json.dumps({"well": well, "findings": [asdict(one) for one in found]}, ensure_ascii=False, indent=2))
    else:
        for one in found:
            print(f"{MARKS[one.state]} {one.subject}: {one.text}")
            if one.hint:
                print(f"    → {one.hint}")
        print("Everything is well." if well else "Something needs attention; see the lines with ✗.")
    return 0 if well else 1
