"""What kind of CSV a file is: its encoding, its delimiter, where its data begin and how its columns are called.

Guesses, all of which a person may overrule on the page. Encodings are tried in the order of how sure a match is:
a byte order mark, NULs in every second byte, valid UTF-8, and at last Windows-1252, which nearly anything matches.
"""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from envoi.contacts.importing.columns import is_known
from envoi.contacts.importing.records import Record, Unreadable, parsed

SAMPLE = 256 * 1024
SAMPLE_RECORDS = 200
CHUNK = 1024 * 1024

ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252",
    "iso-8859-1": "ISO 8859-1",
    "iso-8859-15": "ISO 8859-15",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "mac-roman": "Mac Roman",
    "gb18030": "GB 18030",
    "shift_jis": "Shift JIS",
}
DELIMITERS = {
    ",": gettext_lazy("Comma ,"),
    ";": gettext_lazy("Semicolon ;"),
    "\t": gettext_lazy("Tab"),
    "|": gettext_lazy("Vertical bar |"),
}
# UTF-32 first: its little-endian mark begins with the one of UTF-16.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# First bytes of what people choose instead of a CSV file.
NOT_CSV = (
    (b"PK\x03\x04", gettext_lazy("an Excel or LibreOffice workbook, or a zip archive")),
    (b"\xd0\xcf\x11\xe0", gettext_lazy("an old Excel workbook")),
    (b"%PDF", gettext_lazy("a PDF")),
    (b"\x1f\x8b", gettext_lazy("a compressed file")),
    (b"{\\rtf", gettext_lazy("a text with formatting (RTF)")),
    (b"\x89PNG", gettext_lazy("a picture")),
    (b"\xff\xd8\xff", gettext_lazy("a picture")),
    (b"GIF8", gettext_lazy("a picture")),
    (b"<!doctype", gettext_lazy("a web page")),
    (b"<html", gettext_lazy("a web page")),
    (b"<?xml", gettext_lazy("an XML file")),
)
# Of a text hardly any sign is a control character; of random bytes nearly every eighth is one.
MOST_CONTROLS = 0.05
CONTROLS = dict.fromkeys(i for i in range(32) if chr(i) not in "\t\n\v\f\r\x1a")


@dataclass(frozen=True, slots=True)
class Shape:
    """How a file is read.

    Attributes:
        skip: records before the first one with data.
        columns: names, unique and not empty.
        sample: the first records with data.
    """

    encoding: str
    delimiter: str
    skip: int
    columns: list[str]
    sample: list[Record]


def shape(stream: BinaryIO, encoding: str = "", delimiter: str = "") -> Shape:
    """The shape of the file, with what the caller knows already.

    Raises:
        Unreadable: it is empty, of another kind, or its first rows cannot be read.
    """
    stream.seek(0)
    head = stream.read(SAMPLE)
    refuse_other_kinds(head)
    encoding = encoding or encoding_of(stream, head)
    text = _sample_text(head, encoding)
    refuse_no_text(text)
    delimiter = delimiter or delimiter_of(text)
    found = _some_records(text, encoding, delimiter, whole=len(head) < SAMPLE)
    skip, columns = header_of(found)
    data = [record for record in found[skip:] if not record.blank]
    if not columns:
        raise Unreadable(_("The file holds no rows. Choose a CSV file with one contact per line."))
    return Shape(encoding, delimiter, skip, columns, data)


def refuse_other_kinds(head: bytes) -> None:
    """Raises `Unreadable` when the first bytes are of no text."""
    if not head.strip():
        raise Unreadable(_("The file is empty. Choose a CSV file with one contact per line."))
    start = head[:100].lstrip(codecs.BOM_UTF8 + b" \t\r\n").lower()
    for mark, what in NOT_CSV:
        if head.startswith(mark) or start.startswith(mark):
            raise Unreadable(
                _("This is %(what)s, not a CSV file. Open it in your spreadsheet and save it as “CSV UTF-8”.")
                % {"what": what}
            )


def refuse_no_text(text: str) -> None:
    """Raises `Unreadable` when the sample is full of control characters, as programs and pictures are."""
    if len(text) - len(text.translate(CONTROLS)) > max(len(text) * MOST_CONTROLS, 40):
        raise Unreadable(_("This file holds no text. Choose a CSV file with one contact per line."))


def encoding_of(stream: BinaryIO, head: bytes) -> str:
    """A name out of `ENCODINGS`; reads the whole stream once, piece by piece, to be sure of UTF-8."""
    for mark, name in MARKS:
        if head.startswith(mark):
            return name
    even, odd = head[0:4096:2], head[1:4096:2]
    if odd and odd.count(0) > 0.3 * len(odd) and even.count(0) < 0.1 * len(even):
        return "utf-16-le"
    if even and even.count(0) > 0.3 * len(even) and odd.count(0) < 0.1 * len(odd):
        return "utf-16-be"
    if _decodes(stream, "utf-8-sig") or _mostly_utf8(stream):
        return "utf-8-sig"
    return "cp1252" if _decodes(stream, "cp1252") else "iso-8859-1"


def _mostly_utf8(stream: BinaryIO) -> bool:
    """Whether it is UTF-8 with a few broken bytes: those are to be told, and no other name to be spoilt by them."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    stream.seek(0)
    right = broken = 0
    while piece := stream.read(CHUNK):
        foreign = [sign for sign in decoder.decode(piece) if sign > "\x7f"]
        wrong = sum("\udc80" <= sign <= "\udcff" for sign in foreign)
        right, broken = right + len(foreign) - wrong, broken + wrong
    return right > broken


def _decodes(stream: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    stream.seek(0)
    try:
        while piece := stream.read(CHUNK):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _sample_text(head: bytes, encoding: str) -> str:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        return decoder.decode(head)
    except UnicodeError as error:
        name = ENCODINGS.get(encoding, encoding)
        raise Unreadable(
            _(
                "Line %(line)d is not in the encoding %(name)s. Choose another encoding, or save the file again as “CSV"
                " UTF-8”."
            )
            % {"line": head.count(b"\n", 0, getattr(error, "start", 0)) + 1, "name": name}
        ) from error


def delimiter_of(text: str) -> str:
    """The delimiter with which most records have the same number of columns, the more the better."""
    first = text.lstrip("\ufeff").splitlines()[0].strip() if text.strip() else ""
    if first.lower().startswith("sep=") and first[4:5] in DELIMITERS:  # Excel's own hint
        return first[4:5]
    return max(DELIMITERS, key=lambda delimiter: _fit(text, delimiter))


def _fit(text: str, delimiter: str) -> float:
    try:
        found = [record for record in _some_records(text, "", delimiter, whole=False) if not record.blank]
    except Unreadable:
        return 0
    if not found:
        return 0
    width, count = Counter(len(record.cells) for record in found).most_common(1)[0]
    known = any(is_known(cell) for record in found[:20] for cell in record.cells) if width > 1 else False
    return 0 if width < 2 else (count / len(found)) * min(width, 20) ** 0.5 + known


def _some_records(text: str, encoding: str, delimiter: str, *, whole: bool) -> list[Record]:
    found: list[Record] = []
    try:
        for record in parsed(StringIO(text, newline=""), encoding, delimiter):
            found.append(record)
            if len(found) > SAMPLE_RECORDS:
                return found
    except Unreadable:
        # The sample may end within a row; only a fault before that is one of the file.
        if whole or not found:
            raise
        return found
    return found if whole or len(found) < 2 else found[:-1]


def header_of(found: Sequence[Record]) -> tuple[int, list[str]]:
    """How many records stand before the data, and the names of the columns.

    The header is the record that names an address column; else the one right before the first record that holds an
    address, when it fills more than half as many cells; else the first one that fills at least half as many as usual.
    """
    filled = [sum(map(bool, record.cells)) for record in found]
    usual = Counter(count for count in filled if count).most_common(1)
    if not usual:
        return 0, []
    width = max(len(record.cells) for record in found)
    before: int | None = None
    for number, record in enumerate(found[:30]):
        if any("@" in cell for cell in record.cells):
            if before is None or filled[before] * 2 <= filled[number]:
                return number, unique_names([], width)
            return number, unique_names(found[before].cells, len(found[before].cells))
        if any(is_known(cell, "address") for cell in record.cells):
            return number + 1, unique_names(record.cells, len(record.cells))
        before = number if filled[number] else before
    for number, record in enumerate(found[:30]):
        if filled[number] and filled[number] * 2 >= usual[0][0]:
            return number + 1, unique_names(record.cells, len(record.cells))
    return 0, unique_names([], width)


def unique_names(cells: Sequence[str], width: int) -> list[str]:
    """A name for each of `width` columns: as it stands, numbered when it is there twice or not at all."""
    names: list[str] = []
    for number in range(width):
        cell = " ".join(cells[number].split())[:200] if number < len(cells) else ""
        name = cell or _("Column %(number)d") % {"number": number + 1}
        again = 2
        while name in names:
            name, again = f"{cell} ({again})", again + 1
        names.append(name)
    return names
