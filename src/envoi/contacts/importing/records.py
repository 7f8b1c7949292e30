"""CSV as a stream of records (RFC 4180, and what spreadsheets make of it), in memory that does not grow with the file.

Guarantee: either every record of the file comes out with the line it begins in, or `Unreadable` says which line is at
fault and what to do. A file is never read in half by mistake: an open quotation mark at its end is a fault.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOWrapper
from typing import BinaryIO, TextIO

from django.utils.translation import gettext as _

# Longest line: no export has longer ones, and a file without any line break must not fill the memory.
LONGEST_LINE = 1_000_000
MOST_COLUMNS = 1000
END_OF_FILE = "\x1a"  # what programs from DOS's days still write last


class Unreadable(ValueError):
    """The file cannot be read as it is; the message names the line and the remedy, for a person."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Attributes:
        line: where it begins, from 1 (a record may span lines).
    """

    line: int
    cells: list[str]

    @property
    def blank(self) -> bool:
        return not any(self.cells)


class _Lines:
    """The lines of a text with their ends, counted, each of bounded length; \r, \n and \r\n all end one."""

    def __init__(self, stream: TextIO, encoding: str) -> None:
        self.stream = stream
        self.encoding = encoding
        self.count = 0
        self.ended = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        try:
            line = self.stream.readline(LONGEST_LINE + 1)
        except UnicodeError as error:
            raise Unreadable(
                _(
                    "From line %(line)d on, the file is not in the encoding %(encoding)s. Choose another encoding, or"
                    " save the file again as “CSV UTF-8”."
                )
                % {"line": self.count + 1, "encoding": self.encoding.removesuffix("-sig").upper()}
            ) from error
        if not line:
            self.ended = True
            raise StopIteration
        self.count += 1
        if len(line) > LONGEST_LINE:
            raise Unreadable(
                _(
                    "Line %(line)d is longer than %(longest)d characters. This is hardly a CSV file with one row per"
                    " line; save it as CSV again."
                )
                % {"line": self.count, "longest": LONGEST_LINE}
            )
        return line


def records(stream: BinaryIO, encoding: str, delimiter: str) -> Iterator[Record]:
    """The records of `stream`, blank ones included, cells without blanks around them.

    Raises:
        Unreadable: wrong encoding, a line or a cell of no sensible length, a quotation mark that is never closed.
    """
    # newline="": line ends inside quotation marks stay as they are.
    text = TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        yield from parsed(text, encoding, delimiter)
    finally:
        # The caller may have closed the file already.
        with suppress(ValueError):
            text.detach()


def parsed(text: TextIO, encoding: str, delimiter: str) -> Iterator[Record]:
    """As `records`, of a text that is decoded already."""
    lines = _Lines(text, encoding)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    while True:
        start = lines.count + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _too_long(start, lines.count) from error
        if cells is None:
            return
        # The reader asks for a line behind the last one only when a quotation mark is still open.
        if lines.ended:
            raise _never_closed(start)
        if len(cells) > MOST_COLUMNS:
            raise Unreadable(
                _("Line %(line)d has %(count)d columns; at most %(most)d can be read. Choose another delimiter.")
                % {"line": start, "count": len(cells), "most": MOST_COLUMNS}
            )
        if cells == [END_OF_FILE]:
            continue
        yield Record(start, [cell.strip() for cell in cells])


def _never_closed(line: int) -> Unreadable:
    return Unreadable(
        _(
            "A quotation mark that opens in the row of line %(line)d is never closed. Close or double it in the file"
            " and choose the file again; nothing was imported."
        )
        % {"line": line}
    )


def _too_long(start: int, end: int) -> Unreadable:
    if end > start:
        return _never_closed(start)
    return Unreadable(
        _("Line %(line)d holds a cell of more than %(longest)d characters. Shorten it and choose the file again.")
        % {"line": start, "longest": csv.field_size_limit()}
    )


def rows(stream: BinaryIO, encoding: str, delimiter: str, skip: int) -> Iterator[Record]:
    """The records with data: without the first `skip` (titles and header) and without blank ones."""
    for number, record in enumerate(records(stream, encoding, delimiter)):
        if number >= skip and not record.blank:
            yield record
