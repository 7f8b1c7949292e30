"""`envoi notify`: show a message on customers' dashboards, from a script on this machine; the same as by the API."""

from __future__ import annotations

import argparse
import json
import re
import sys
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.html import linebreaks

from envoi.api.notice_schemas import told_with_targets
from envoi.audiences.queries import Name, NamesUnknown, Targets, named_targets
from envoi.broadcasts.actions import on_dashboards
from envoi.broadcasts.errors import NotReady
from envoi.cli.faults import Stop
from envoi.core import clock
from envoi.instance import queries as settings
from envoi.instance.schema import TIME_ZONE
from envoi.notices.models import Level
from envoi.notices.queries import reach

WORDS = {"subject": "--subject", "body": "--body", "link_label": "--button", "link_url": "--button", "level": "--level"}
WORDS |= {"starts_at": "--from", "ends_at": "--until", "targets": "--product, --list or --customer"}
OPTIONS = {"products": "--product", "lists": "--list", "contacts": "--customer"}
HELP = {
    "products": "the customers of this product",
    "lists": "the subscribers of this list",
    "contacts": "this customer: an address, “ref:” and the reference, or “id:” and the number",
}
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_SPAN = re.compile(r"\+(\d{1,5})([mhd])")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Show a message on the dashboards of customers, at once or from a moment on."
    parser.epilog = (
        "A moment is written 2026-12-24T18:00 (in the time zone of the installation), with a zone as "
        "2026-12-24T18:00+01:00, or as a span from now: +30m, +2h, +3d; --until counts from --from."
    )
    parser.add_argument("--subject", required=True)
    body = parser.add_mutually_exclusive_group()
    body.add_argument(
        "--body",
        metavar="TEXT",
        help="the content as plain text; “-” reads it from standard input; without it, the subject stands alone",
    )
    body.add_argument("--html", metavar="HTML", help="the content as HTML; “-” reads it from standard input")
    parser.add_argument("--level", choices=Level.values, default=Level.INFO.value, help="its colour (default: info)")
    for kind, option in OPTIONS.items():
        parser.add_argument(
            option, action="append", default=[], dest=kind, metavar="NAME", help=f"for {HELP[kind]}; may be repeated"
        )
    for kind, option in OPTIONS.items():
        parser.add_argument(
            option.replace("--", "--except-"),
            action="append",
            default=[],
            dest=f"no_{kind}",
            metavar="NAME",
            help=f"but not for {HELP[kind]}",
        )
    parser.add_argument("--from", dest="starts", metavar="MOMENT", help="from when on (default: now)")
    parser.add_argument("--until", dest="ends", metavar="MOMENT", help="until when (default: until it is ended)")
    parser.add_argument("--button", nargs=2, metavar=("TEXT", "ADDRESS"), help="a button under the content")
    parser.add_argument("--keep", action="store_true", help="it cannot be dismissed")
    parser.add_argument("--acknowledge", action="store_true", help="it stays until it is acknowledged")
    parser.add_argument("--fixed", action="store_true", help="only for those who are targeted at this moment")
    parser.add_argument("--json", action="store_true", help="print the notice as JSON, as the API does")


def run(args: argparse.Namespace) -> int:
    try:
        notice = on_dashboards.publish(
            targets(args, "targets"),
            targets(args, "exclude"),
            fixed=args.fixed,
            actor=None,
            **wording(args),
        )
    except NamesUnknown as unknown:
        return refused(args, [(OPTIONS[kind], message) for kind, _place, message in unknown.problems])
    except NotReady as error:
        return refused(args, [(WORDS.get(one.field, one.field), one.message) for one in error.problems])
    people = reach(notice.audience)
    if args.json:
        print(json.dumps({**told_with_targets(notice).model_dump(mode="json"), "reach": people}, ensure_ascii=False))
    elif notice.starts_at > clock.now():
        print(f"Notice {notice.key} will be shown from {notice.starts_at:%Y-%m-%d %H:%M} UTC on.")
    else:
        print(f"Notice {notice.key} is shown. Customers meant at this moment: {people:,}.")
    return 0


def targets(args: argparse.Namespace, side: str) -> Targets:
    """Whom one side of the options names."""
    before = "" if side == "targets" else "no_"
    given: dict[str, list[Name]] = {kind: getattr(args, before + kind) for kind in OPTIONS}
    return named_targets(**given)


def wording(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of the notice, as the action takes them."""
    now = clock.now()
    starts = moment("--from", args.starts, now) if args.starts else now
    return {
        "subject": printable("--subject", args.subject),
        **content(args),
        "level": args.level,
        "starts_at": starts,
        "ends_at": moment("--until", args.ends, starts) if args.ends else None,
        "dismissible": not args.keep,
        "must_acknowledge": args.acknowledge,
        "link_label": args.button[0] if args.button else "",
        "link_url": args.button[1] if args.button else "",
    }


def content(args: argparse.Namespace) -> dict[str, str]:
    """The field of the content; none when none was written."""
    option, given = ("--body", args.body) if args.html is None else ("--html", args.html)
    if given is None:
        return {}
    text = printable(option, sys.stdin.read() if given == "-" else given)
    return {"body": linebreaks(text.strip(), autoescape=True) if option == "--body" else text}


def moment(option: str, text: str, since: datetime) -> datetime:
    """The moment that was written.

    Raises:
        Stop: it is none, or lies out of reach.
    """
    span = _SPAN.fullmatch(text.strip())
    try:
        found = since + timedelta(**{UNITS[span[2]]: int(span[1])}) if span else datetime.fromisoformat(text.strip())
        found = found if found.tzinfo else found.replace(tzinfo=ZoneInfo(settings.get(TIME_ZONE)))
        if 2000 <= found.year <= 2200:
            return found
    except ValueError:
        pass
    raise Stop(f"{option}: “{text}” is no moment; write 2026-12-24T18:00, or +2h for a span.")


def printable(option: str, text: str) -> str:
    """The text, if a database can hold it.

    Raises:
        Stop: it holds U+0000 or bytes that are no UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Stop(f"{option}: the text is not UTF-8; convert it first, for example with iconv.") from error
    if "\x00" in text:
        raise Stop(f"{option}: leave out the character U+0000.")
    return text


def refused(args: argparse.Namespace, problems: list[tuple[str, str]]) -> int:
    if args.json:
        errors = [{"option": option, "message": message} for option, message in problems]
        print(json.dumps({"errors": errors}, ensure_ascii=False))
    for option, message in problems:
        print(f"envoi notify: {option}: {message}", file=sys.stderr)
    return 1
