"""`envoi send-due`: send the next portion of transports that send in portions, from cron or by hand."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from django.db import connection

from envoi.cli import serving
from envoi.cli.faults import Stop
from envoi.delivery.limits.hindrances import said, zone
from envoi.delivery.models import Transport
from envoi.delivery.shifts.runs import Run, in_portions, make_runs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Make one run of every transport that sends in portions and whose run is due. Needs no worker, and may run "
        "beside any number of them. Exit code 0: every run that was due was made; 3: not all could be; 1: none could."
    )
    parser.add_argument("--now", action="store_true", help="also runs that are not due yet")
    parser.add_argument(
        "--transport", action="append", default=[], metavar="NAME", help="only this transport; may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    serving.quiet_logs()
    serving.stop_on_signals()
    connection.ensure_connection()
    runs = make_runs(chosen(args.transport), even_if_not_due=args.now)
    hindered = [one for one in runs if not one.made and not not_yet(one)] + [
        one for one in runs if one.made and one.why
    ]
    if args.json:
        print(json.dumps({"runs": [as_json(one) for one in runs]}, ensure_ascii=False, indent=2))
    elif runs:
        for one in runs:
            print(sentence(one))
    else:
        print("No transport sends in portions. Choose so under Settings, Sending.")
    if not hindered:
        return 0
    return 3 if any(one.made and not one.why for one in runs) else 1


def chosen(names: Sequence[str]) -> list[Transport]:
    """The transports meant.

    Raises:
        Stop: there is none of this name that sends in portions.
    """
    every = in_portions()
    known = {one.name.casefold(): one for one in every}
    for name in names:
        if name.casefold() not in known:
            listed = ", ".join(f"“{one.name}”" for one in every) or "none"
            raise Stop(f"--transport: no transport “{name}” sends in portions; those that do: {listed}.")
    return [known[name.casefold()] for name in names] if names else every


def not_yet(one: Run) -> bool:
    """Whether a run was only not due, or it is not the hour for it, which is no fault."""
    return not one.made and not one.transport.paused_at


def sentence(one: Run) -> str:
    name = f"“{one.transport.name}”"
    if not one.made:
        return f"{name}: no run. {one.why}"
    rest = "more waits" if one.waiting else "nothing is left to send"
    following = f"; the next run is due at {said(one.next_at, zone())}" if one.waiting and one.next_at else ""
    trouble = f" It was paused meanwhile: {one.why}" if one.why else ""
    return f"{name}: {one.sent:,} sent, {rest}{following}.{trouble}"


def as_json(one: Run) -> dict[str, object]:
    return {
        "transport": one.transport.name,
        "made": one.made,
        "sent": one.sent,
        "waiting": one.waiting,
        "next_at": one.next_at.isoformat() if one.next_at else None,
        "why": one.why,
    }
