"""Where files of contacts wait: in the database, in pieces, so that whichever machine imports one can read it.

Guarantees: neither writing nor reading holds more than a few pieces in memory, whatever the size of the file. Pieces
are committed a few at a time, so an upload keeps nobody from writing. What was left half-way is removed a day later.
The database is what all machines reach, and its backup holds the file together with the import that needs it.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import OperationalError
from django.utils.translation import gettext as _

from envoi.contacts.importing.records import Unreadable
from envoi.contacts.models import Import, ImportPiece
from envoi.core import clock, keys

PIECE = 256 * 1024
# PostgreSQL’s driver holds each several times, as hexadecimal text of double length.
AT_ONCE = 2
# Pieces that one statement removes.
SLICE = 64
LEFT_OVER = timedelta(days=1)


def keep(pieces: Iterable[bytes]) -> tuple[str, int]:
    """Store a file; its key and its size in bytes.

    Raises:
        Unreadable: the database does not take it; nothing is kept then.
    """
    key, size = keys.random_key(), 0
    waiting: list[ImportPiece] = []
    try:
        for number, piece in enumerate(_even(pieces)):
            size += len(piece)
            waiting.append(ImportPiece(stored_as=key, number=number, content=zlib.compress(piece, 1)))
            if len(waiting) == AT_ONCE:
                ImportPiece.objects.bulk_create(waiting)
                waiting.clear()
        ImportPiece.objects.bulk_create(waiting)
    except OperationalError as error:
        _forget_what_can_be(key)
        raise Unreadable(
            _("The file cannot be kept in the database (%(why)s). Choose it again when its disk has room.")
            % {"why": str(error).strip()}
        ) from error
    except BaseException:
        _forget_what_can_be(key)
        raise
    return key, size


@contextmanager
def opened(key: str, size: int) -> Iterator[BinaryIO]:
    """The stored file, to be read from any place.

    Raises:
        Unreadable: it is not there any more; also while it is read.
    """
    legacy = _folder() / key
    if legacy.is_file():
        with legacy.open("rb") as file:
            yield file
        return
    with io.BufferedReader(_Stored(key, size), PIECE) as stream:
        stream.peek(1)
        yield stream


def forget(key: str) -> None:
    """Remove the file: personal data is kept no longer than needed. The first piece goes last, so a rest is found."""
    (_folder() / key).unlink(missing_ok=True)
    stored = ImportPiece.objects.filter(stored_as=key).order_by("-number").values_list("pk", flat=True)
    some = list(stored[:SLICE])
    while some:
        ImportPiece.objects.filter(pk__in=some).delete()
        some = list(stored[:SLICE]) if len(some) == SLICE else []


def forget_left_over() -> int:
    """Remove what no open import needs: of uploads and removals that were cut off. Returns how many files."""
    before = clock.now() - LEFT_OVER
    needed = Import.objects.filter(status__in=Import.OPEN).values("stored_as")
    left = ImportPiece.objects.filter(number=0, created_at__lt=before).exclude(stored_as__in=needed)
    found = list(left.values_list("stored_as", flat=True)[:1000])
    for key in found:
        forget(key)
    return len(found)


class _Stored(io.RawIOBase):
    """The bytes of one file; one piece of it in memory."""

    def __init__(self, key: str, size: int) -> None:
        self.key, self.size = key, size
        self.place = 0
        self.number = -1
        self.piece = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: self.size}[whence]
        return self.place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self.place >= self.size:
            return 0
        number, start = divmod(self.place, PIECE)
        if number != self.number:
            self.number, self.piece = number, self._fetch(number)
        found = self.piece[start : start + len(buffer)]
        buffer[: len(found)] = found
        self.place += len(found)
        return len(found)

    def _fetch(self, number: int) -> bytes:
        rows = ImportPiece.objects.filter(stored_as=self.key, number=number)
        content = rows.values_list("content", flat=True).first()
        if content is None:
            raise _gone()
        return zlib.decompress(content)


def _even(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of one size, the last one shorter."""
    waiting = bytearray()
    for piece in pieces:
        for start in range(0, len(piece), PIECE):
            waiting += piece[start : start + PIECE]
            if len(waiting) >= PIECE:
                yield bytes(waiting[:PIECE])
                del waiting[:PIECE]
    if waiting:
        yield bytes(waiting)


def _forget_what_can_be(key: str) -> None:
    try:
        forget(key)
    except OperationalError:  # The database is full or away: `forget_left_over` removes it later.
        return


def _folder() -> Path:
    """Where files waited before: those of imports that were not over at the upgrade still lie there."""
    return Path(settings.ENVOI_DATA) / "imports"


def _gone() -> Unreadable:
    return Unreadable(_("The file is not on the server any more. Choose it again."))
