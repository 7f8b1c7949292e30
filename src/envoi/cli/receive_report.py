"""`envoi receive-report`: take in messages that came back to return paths, from a mail server's pipe or a maildir.

Exit codes are those a mail server understands (sysexits.h): 0, the message was taken, whatever it was; 75, it must be
kept and tried again. There is no other: whoever refuses a report for good loses it, since nobody is told.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from pathlib import Path
from typing import BinaryIO

from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError

from envoi.bounces.actions.receive import Effect, receive
from envoi.bounces.models import KeptAside
from envoi.bounces.reading import LARGEST
from envoi.cli import serving
from envoi.cli.faults import Stop, explain
from envoi.delivery.actions.reported import TooEarly

TRY_AGAIN = 75
# What Postfix calls the envelope's recipient in the environment of a command in an alias: local(8).
VARIABLES = ("ORIGINAL_RECIPIENT", "RECIPIENT")
SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Read one message from standard input: a report about a message that Envoi sent (RFC 3464). It is believed "
        "when it was sent to the return path of that very message. Exit code 0: it was taken; 75: the mail server "
        "must try again later."
    )
    parser.add_argument(
        "--recipient",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="the envelope's recipient; may be repeated (default: $ORIGINAL_RECIPIENT, $RECIPIENT, the message's head)",
    )
    parser.add_argument(
        "--maildir", metavar="FOLDER", help="take in, and remove, all new messages of this maildir instead"
    )
    parser.add_argument(
        "--kept-aside", action="store_true", help=f"read nothing; list the latest {SHOWN} messages that had no effect"
    )


def run(args: argparse.Namespace) -> int:
    serving.quiet_logs()
    if args.kept_aside:
        return list_kept_aside()
    if args.maildir:
        return empty_maildir(Path(args.maildir))
    data = whole(sys.stdin.buffer)
    try:
        receive(data, sent_to=[*args.recipient, *(os.environ.get(name, "") for name in VARIABLES)])
    except TooEarly as error:
        return put_off(f"{error}, and what came of it is not written down yet.")
    except DatabaseError as error:
        return put_off(explain(error))
    return 0


def whole(stream: BinaryIO) -> bytes:
    """What counts of the message; read to its end, since a mail server takes a closed pipe for a fault."""
    data = stream.read(LARGEST)
    while stream.read(LARGEST):
        pass
    return data


def put_off(why: str) -> int:
    print(f"envoi receive-report: {why} The message must come again later.", file=sys.stderr)
    return TRY_AGAIN


def empty_maildir(folder: Path) -> int:
    """Take in what is new, the oldest first. A message is removed after what it did is committed: killed in between,
    it is taken in once more, and changes nothing. Others may empty the same maildir meanwhile. One that cannot be taken
    in stays, and keeps none behind it waiting.

    Raises:
        Stop: the folder is no maildir.
    """
    if not (folder / "new").is_dir():
        raise Stop(f"--maildir: {folder} has no folder “new”; name a maildir.")
    effects: Counter[Effect] = Counter()
    waiting = stuck = 0
    for path in sorted((folder / "new").iterdir(), key=lambda path: path.name):
        try:
            with path.open("rb") as message:
                data = message.read(LARGEST)
            effects[receive(data).effect] += 1
        except FileNotFoundError:
            continue
        except TooEarly:
            waiting += 1
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # whatever one message does, the others are taken in
            stuck += 1
            print(
                f"envoi receive-report: {path} stays: {type(error).__name__}. Look at it, or move it.", file=sys.stderr
            )
        else:
            path.unlink(missing_ok=True)
    print(
        f"{effects.total():,} messages taken in: {effects[Effect.CHANGED]:,} changed a delivery, "
        f"{effects[Effect.NOTHING_NEW]:,} said nothing new, {effects[Effect.IGNORED]:,} were automatic replies, "
        f"{effects[Effect.KEPT_ASIDE]:,} were kept aside; {waiting:,} wait for their delivery to be written down"
    )
    return TRY_AGAIN if waiting or stuck else 0


def list_kept_aside() -> int:
    """One line for each, the latest first."""
    found = list(KeptAside.objects.order_by("-last_at", "-pk")[:SHOWN])
    for one in found:
        times = f" ({one.times:,} times)" if one.times > 1 else ""
        way = f"to {one.sent_to or 'nobody'}, from {one.sender or 'nobody'}"
        print(f"{one.last_at:%F %H:%M} UTC  {way}: {one.get_why_display()}{times}")
    if not found:
        print("Nothing was kept aside.")
    return 0
