"""`envoi import`: take a CSV file of contacts, here and now, without a worker. Loaded once Django is set up."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from django.db import transaction

from envoi.audiences.actions import lists
from envoi.audiences.models import List
from envoi.contacts.actions import import_run, imports
from envoi.contacts.actions.import_forecast import forecast
from envoi.contacts.importing.records import Unreadable, rows
from envoi.contacts.models import Import, Kind

PIECE = 1024 * 1024
SHOWN = 20
ALL_TAKEN, NOTHING_TAKEN, SOME_REFUSED = 0, 1, 3


class Refused(Exception):
    """The command cannot do what it was asked; the message says why and what to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Take contacts from a CSV file."
    parser.epilog = "Exit code: 0 every row was taken, 3 some rows were refused, 1 nothing was taken."
    parser.add_argument("file", type=Path, metavar="FILE.csv", help="the file, one contact per line, with a header")
    parser.add_argument("--list", metavar="NAME", help="put everybody on this list; it is made when there is none")
    parser.add_argument("--kind", choices=Kind.values, default=Kind.CONTACT, help="take them as (default: contact)")
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="COLUMN=FIELD",
        help="a column is this field (address, first_name, …, field:KEY, new for a field of its name, nothing to leave"
        " it out); other columns are guessed from their names",
    )
    parser.add_argument("--encoding", help="of the file; guessed when not given")
    parser.add_argument("--delimiter", help="between the columns; guessed when not given (tab: \\t)")
    parser.add_argument("--keep-existing", action="store_true", help="do not change contacts that are known already")
    parser.add_argument("--dry-run", action="store_true", help="say what would come of it and change nothing")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")


def run(args: argparse.Namespace) -> int:
    try:
        of = _received(args)
        return _dry_run(of, args) if args.dry_run else _import(of, args)
    except (Refused, Unreadable, imports.WrongMapping, imports.NotNow, lists.NameTaken) as error:
        if args.json:
            print(json.dumps({"status": "refused", "problem": str(error)}))
        print(printable(f"envoi import: {error}"), file=sys.stderr)
        return NOTHING_TAKEN


def _received(args: argparse.Namespace) -> Import:
    try:
        file = args.file.open("rb")
    except OSError as error:
        raise Refused(f"{args.file} cannot be read ({error.strerror}).") from error
    with file:
        of = imports.receive(_pieces(file, args.file), args.file.name, actor=None)
    try:
        if args.encoding or args.delimiter:
            delimiter = (args.delimiter or of.delimiter).replace("\\t", "\t")
            encoding = {"utf-8": "utf-8-sig"}.get((args.encoding or "").lower(), args.encoding or of.encoding)
            imports.read_again(of, encoding=encoding, delimiter=delimiter, actor=None)
        of.mapping = _mapping(of, args.map)
        imports.check_mapping(of, of.mapping)
    except imports.WrongMapping as error:
        imports.discard(of)
        known = ", ".join(of.columns[:30])
        raise Refused(f"{error} Its columns are: {known}. Match them with --map COLUMN=FIELD.") from error
    except BaseException:
        imports.discard(of)
        raise
    return of


def _pieces(file: BinaryIO, path: Path) -> Iterator[bytes]:
    try:
        while piece := file.read(PIECE):
            yield piece
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror}).") from error


def _mapping(of: Import, wishes: list[str]) -> dict[str, str]:
    mapping = dict(of.mapping)
    for wish in wishes:
        column, sign, field = wish.rpartition("=")
        if not sign or column not in of.columns:
            known = ", ".join(of.columns[:30])
            raise Refused(f"--map {wish}: the file has no column “{column or wish}”. Its columns are: {known}.")
        number = str(of.columns.index(column))
        field = "address" if field == "email" else field
        mapping = {key: value for key, value in mapping.items() if key != number and (value != field or field == "new")}
        if field:
            mapping[number] = field
    return mapping


def _import(of: Import, args: argparse.Namespace) -> int:
    try:
        with transaction.atomic():
            new = _list_to_fill(of, args.list) if args.list else None
            imports.start(
                of,
                of.mapping,
                kind=args.kind,
                update_existing=not args.keep_existing,
                in_background=False,
                actor=None,
            )
    except BaseException:
        imports.discard(of)
        raise
    import_run.work(
        of.pk, seconds=math.inf, told=lambda now: _say(args, f"\r{now.rows:,} of {now.total or 0:,} rows", end="")
    )
    of.refresh_from_db()
    if new and of.status != Import.Status.FINISHED:
        lists.discard_unused(new, actor=None)
    _say(args, "\r", end="")
    return _report(of, args)


def _list_to_fill(of: Import, name: str) -> List | None:
    """Have the import fill the list of this name; returns it when it was made for that."""
    known = List.objects.filter(name=name).first()
    target = known or lists.create(name, actor=None)
    lists.fill_from(of, target, actor=None)
    return None if known else target


def _report(of: Import, args: argparse.Namespace) -> int:
    counts = {name: getattr(of, name) for name in ("rows", "created", "updated", "unchanged", "rejected", "suppressed")}
    problems = [
        {"line": row.line, "column": row.column, "value": row.value, "reason": row.reason}
        for row in of.problems.order_by("line")[:SHOWN]
    ]
    _print({"status": of.status, **counts, "problem": of.problem, "problems": problems}, args)
    if of.status != Import.Status.FINISHED:
        print(f"envoi import: {of.problem or of.get_status_display()}", file=sys.stderr)
        return NOTHING_TAKEN
    return SOME_REFUSED if of.rejected else ALL_TAKEN


def _dry_run(of: Import, args: argparse.Namespace) -> int:
    of.kind = args.kind
    try:
        with imports.opened(of) as stream:
            found = forecast(of, rows(stream, of.encoding, of.delimiter, of.skip), most_problems=SHOWN)
    finally:
        imports.discard(of)
    named = dict(islice(_named(of), len(of.columns)))
    problems = [
        {"line": row.line, "column": row.column, "value": row.value, "reason": row.reason} for row in found.problems
    ]
    counts = {name: getattr(found, name) for name in ("rows", "new", "known", "rejected", "suppressed")}
    _print({"status": "dry run", **counts, "columns": named, "problems": problems}, args)
    return SOME_REFUSED if found.rejected else ALL_TAKEN


def _named(of: Import) -> Iterator[tuple[str, str]]:
    return ((name, of.mapping.get(str(number), "")) for number, name in enumerate(of.columns))


def _print(result: dict[str, Any], args: argparse.Namespace) -> None:
    if args.json:
        print(json.dumps(result, ensure_ascii=False))
        return
    print(printable(f"{args.file.name}: {result['status']}"))
    for column, field in result.get("columns", {}).items():
        print(printable(f"  column {column} → {field or 'left out'}"))
    for name, value in result.items():
        if isinstance(value, int):
            print(f"  {name:10} {value:>10,}")
    for row in result["problems"]:
        where = f", column {row['column']}" if row["column"] else ""
        print(printable(f"  line {row['line']}{where}: {row['reason']}"), file=sys.stderr)
    if result["rejected"] > len(result["problems"]):
        print(f"  … and {result['rejected'] - len(result['problems']):,} more refused rows", file=sys.stderr)


def printable(text: str) -> str:
    """Text out of a stranger's file as it may go to a terminal, which obeys control characters."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


def _say(args: argparse.Namespace, text: str, end: str = "\n") -> None:
    """Progress, for a person who watches."""
    if not args.json and sys.stderr.isatty():
        print(text, end=end, file=sys.stderr, flush=True)
