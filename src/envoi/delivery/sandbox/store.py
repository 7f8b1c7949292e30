"""What the sandbox mailbox has received: a SQLite file of its own, so that no mail weighs on the main database.

Guarantees: what `add` returned for survives a killed process (not always a power cut: waiting for the disk would make
the sandbox several times slower, and it is no archive); the newest `KEPT` messages are kept, older ones go. Any process
may read while the server writes (WAL).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from pathlib import Path

from django.conf import settings

FILE = "sandbox.sqlite3"
KEPT = 20_000

_TABLES = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received_at TEXT NOT NULL, mail_from TEXT NOT NULL, rcpt_to TEXT NOT NULL,
    sender TEXT NOT NULL, subject TEXT NOT NULL, size INTEGER NOT NULL, searched TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS source (
    message_id INTEGER PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE, raw BLOB NOT NULL
);
"""
_HEADER = re.compile(rb"^(from|subject):((?:.*\r\n)(?:[ \t].*\r\n)*)", re.IGNORECASE | re.MULTILINE)
_COLUMNS = "id, received_at, mail_from, rcpt_to, sender, subject, size"


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came in. `rcpt_to` is the envelope's, which headers need not show."""

    received_at: datetime
    mail_from: str
    rcpt_to: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Listed:
    """A message as a list shows it; `sender` is the From header, `size` in bytes."""

    id: int
    received_at: datetime
    mail_from: str
    rcpt_to: str
    sender: str
    subject: str
    size: int

    @property
    def sender_name(self) -> str:
        """The name in From, or the address where there is none."""
        return self.sender.rpartition("<")[0].strip(' "') or self.sender.strip("<> ")


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first; `next` and `previous` are cursors, "" where there is nothing more."""

    rows: Sequence[Listed]
    next: str
    previous: str

    def __bool__(self) -> bool:
        return bool(self.rows)


class Mailbox:
    """One file of messages."""

    def __init__(self, path: Path, kept: int = KEPT) -> None:
        self.path = path
        self._kept = kept
        self._writer: sqlite3.Connection | None = None

    def add(self, messages: Sequence[Received]) -> Sequence[int]:
        """Keep messages, in one commit; their ids. One thread at a time; the connection stays open until `close`."""
        if self._writer is None:
            self._writer = self._connect()
        with self._writer as connection:
            ids = [_insert(connection, message) for message in messages]
            if ids:
                connection.execute("DELETE FROM message WHERE id <= ?", [ids[-1] - self._kept])
        return ids

    def close(self) -> None:
        """End the writing connection."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def list(self, cursor: str = "", size: int = 50) -> Page:
        """One page of everything."""
        return self.search("", cursor, size)

    def search(self, q: str, cursor: str = "", size: int = 50) -> Page:
        """One page of what holds every word of `q` in an address, the From header or the subject."""
        backwards, limit = cursor.startswith("p"), int(cursor[1:]) if cursor[1:].isdigit() else 0
        where = ["instr(searched, ?) > 0" for _ in _words(q)]
        values: list[object] = list(_words(q))
        if limit:
            where.append(f"id {'>' if backwards else '<'} ?")
            values.append(limit)
        rows = self._rows(where, values, "ASC" if backwards and limit else "DESC", size + 1)
        more, rows = len(rows) > size, rows[:size]
        backwards = backwards and limit > 0
        if backwards:
            rows = rows[::-1]
        if not rows:
            return Page([], "", "")
        return Page(
            rows,
            next=f"n{rows[-1].id}" if more or backwards else "",
            previous=f"p{rows[0].id}" if (more if backwards else limit) else "",
        )

    def get(self, message_id: int) -> tuple[Listed, bytes] | None:
        """A message and its bytes as received."""
        found = self._rows(["id = ?"], [message_id], "DESC", 1)
        if not found:
            return None
        with self._open() as connection:
            row = connection.execute("SELECT raw FROM source WHERE message_id = ?", [message_id]).fetchone()
        return (found[0], bytes(row[0])) if row else None

    def neighbours(self, message_id: int, q: str = "") -> tuple[int | None, int | None]:
        """The ids of the next newer and next older message that `q` finds."""
        where = ["instr(searched, ?) > 0" for _ in _words(q)]
        newer = self._rows([*where, "id > ?"], [*_words(q), message_id], "ASC", 1)
        older = self._rows([*where, "id < ?"], [*_words(q), message_id], "DESC", 1)
        return (newer[0].id if newer else None), (older[0].id if older else None)

    def count(self) -> int:
        with self._open() as connection:
            return int(connection.execute("SELECT count(*) FROM message").fetchone()[0])

    def recipients(self) -> set[str]:
        """The different addresses that got something, as in the envelopes."""
        with self._open() as connection:
            return {row[0] for row in connection.execute("SELECT DISTINCT rcpt_to FROM message")}

    def delete(self, message_ids: Iterable[int] | None = None) -> None:
        """Throw messages away; None means all."""
        with self._open() as connection:
            if message_ids is None:
                connection.execute("DELETE FROM message")
            else:
                connection.executemany("DELETE FROM message WHERE id = ?", [[number] for number in message_ids])

    def _rows(self, where: Sequence[str], values: Sequence[object], order: str, size: int) -> Sequence[Listed]:
        condition = f"WHERE {' AND '.join(where)}" if where else ""
        sql = f"SELECT {_COLUMNS} FROM message {condition} ORDER BY id {order} LIMIT ?"  # noqa: S608 - own words only
        with self._open() as connection:
            return [
                Listed(row[0], datetime.fromisoformat(row[1]), *row[2:])
                for row in connection.execute(sql, [*values, size])
            ]

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=30, check_same_thread=False)
        connection.executescript(
            f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; {_TABLES}"
        )
        return connection

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(self._connect()) as connection, connection:
            yield connection


def mailbox() -> Mailbox:
    """The mailbox of this installation."""
    return Mailbox(Path(settings.ENVOI_DATA) / FILE)


def _insert(connection: sqlite3.Connection, message: Received) -> int:
    sender, subject = _headers(message.raw)
    searched = " ".join((message.mail_from, message.rcpt_to, sender, subject)).casefold()
    addresses = [message.mail_from, message.rcpt_to]
    cursor = connection.execute(
        "INSERT INTO message (received_at, mail_from, rcpt_to, sender, subject, size, searched) VALUES (?,?,?,?,?,?,?)",
        [message.received_at.isoformat(), *addresses, sender, subject, len(message.raw), searched],
    )
    number = cursor.lastrowid or 0
    connection.execute("INSERT INTO source (message_id, raw) VALUES (?, ?)", [number, message.raw])
    return number


def _headers(raw: bytes) -> tuple[str, str]:
    """From and Subject for people; what cannot be read is shown as it came, since a sandbox takes anything."""
    head = raw.partition(b"\r\n\r\n")[0] + b"\r\n"
    found = {match[1].lower(): match[2] for match in reversed(list(_HEADER.finditer(head)))}
    return _readable(found.get(b"from", b"")), _readable(found.get(b"subject", b""))


def _readable(value: bytes) -> str:
    text = value.decode("utf-8", "replace").replace("\r\n", "").strip()[:2000]
    if "=?" in text:
        with suppress(HeaderParseError, LookupError, UnicodeError, ValueError):
            text = str(make_header(decode_header(text)))
    return text.encode("utf-8", "replace").decode()[:998].replace("\0", "")


def _words(q: str) -> list[str]:
    return q.casefold().replace("\0", "").split()
