"""`envoi demo`: the whole main job without a browser, in a throw-away installation with its own group of processes."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO
from urllib.parse import urlsplit

from django.conf import settings

from envoi.cli.faults import Stop
from envoi.demo import story

READY_WITHIN = 90.0
STOPPED_WITHIN = 90.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Invite people, freeze, send through the sandbox mailbox over SMTP, read it, follow a link and the pixel, "
        "unsubscribe somebody with one click, and compare every count with what it must be. Nothing of it stays."
    )
    parser.add_argument("--recipients", type=at_least_two, default=500, help="how many get the mail (default: 500)")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON, and nothing else")


def run(args: argparse.Namespace) -> int:
    def say(text: str) -> None:
        if not args.json:
            print(text, flush=True)

    with everything_running():
        report = story.tell(args.recipients, say=say)
    print(json.dumps(report.as_dict(), indent=2) if args.json else in_words(report))
    for problem in report.problems:
        print(f"envoi demo: {problem}", file=sys.stderr)
    return 1 if report.problems else 0


def at_least_two(text: str) -> int:
    if not text.isdigit() or int(text) < 2:
        raise argparse.ArgumentTypeError(f"“{text}” is no number from 2 on")
    return int(text)


@contextmanager
def everything_running() -> Iterator[None]:
    """`envoi up` on this installation, as a process of its own; stopped again however the block ends."""
    with tempfile.TemporaryFile() as output:
        port = str(urlsplit(settings.ENVOI_BASE_URL).port)
        command = [sys.executable, "-m", "envoi.cli", "up", "--empty", "--port", port, "--web-workers", "1"]
        group = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)  # noqa: S603
        try:
            wait_until_it_answers(group, output)
            yield
        finally:
            group.terminate()
            try:
                group.wait(STOPPED_WITHIN)
            except subprocess.TimeoutExpired:
                group.kill()


def wait_until_it_answers(group: subprocess.Popen[bytes], output: IO[bytes]) -> None:
    """Return when the sign-in page is served.

    Raises:
        Stop: the group ended, or did not answer in time; with the last of what it said.
    """
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until and group.poll() is None:
        try:
            with urllib.request.urlopen(f"{settings.ENVOI_BASE_URL}/accounts/login/", timeout=5):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    output.seek(0)
    said = output.read().decode(errors="replace").strip().splitlines()[-5:]
    raise Stop("Envoi could not be started for the demo:\n" + "\n".join(said))


def in_words(report: story.Report) -> str:
    skipped = ", ".join(f"{number} {reason}" for reason, number in sorted(report.skipped.items()))
    return "\n".join(
        [
            f"Sent {report.sent} of {report.candidates} on {report.database}; skipped: {skipped}.",
            f"{report.messages_per_second} messages a second; frozen in {report.freeze_seconds} s.",
            f"The mailbox holds {report.mailbox} messages to {report.mailbox_addresses} addresses.",
            f"Opened {report.opened}, clicked {report.clicked}, unsubscribed {report.unsubscribed}.",
            "Everything is as it must be." if not report.problems else "Something is off:",
        ]
    )
