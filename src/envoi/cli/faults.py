"""What may go wrong around Envoi — database, disk, rights — in words that name the thing and the remedy."""

from __future__ import annotations

import errno
import os

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection


class Stop(Exception):
    """The command cannot go on; the message is for the person who called it."""


DATABASE_HINTS = (
    ("database or disk is full", "The disk is full: make room and start again; nothing is half-done."),
    ("readonly database", "The database file may not be written: check the rights on the data folder."),
    ("unable to open database file", "The database file cannot be opened: check the rights on the data folder."),
    ("database is locked", "Another program has kept the database locked for too long; end it and try again."),
    ("file is not a database", "The file is no SQLite database; restore it from a backup or move it away."),
    ("malformed", "The database file is damaged; restore it from a backup."),
    ("no such table", "The database is not up to date: run “envoi migrate”."),
    ("no such column", "The database is not up to date: run “envoi migrate”."),
    ("undefinedtable", "The database is not up to date: run “envoi migrate”."),
    ("connection refused", "No PostgreSQL server answers there: start it, or correct ENVOI_DATABASE_URL."),
    ("could not translate host name", "The host name is not known: correct ENVOI_DATABASE_URL."),
    ("name or service not known", "The host name is not known: correct ENVOI_DATABASE_URL."),
    ("failed to resolve host", "The host name is not known: correct ENVOI_DATABASE_URL."),
    ("password authentication failed", "PostgreSQL refuses the user or password in ENVOI_DATABASE_URL."),
    ("no password supplied", "PostgreSQL wants a password: put it into ENVOI_DATABASE_URL."),
    ("does not exist", "Make it with createdb or createuser, or correct ENVOI_DATABASE_URL; “envoi migrate” fills it."),
    ("too many clients", "PostgreSQL has no connection left: raise max_connections or end other programs."),
    ("invalid sslmode", "Write sslmode=disable, prefer, require or verify-full into ENVOI_DATABASE_URL."),
    ("invalid connection option", "Take what stands after the “?” out of ENVOI_DATABASE_URL, or correct it."),
    ("server does not support ssl", "Write sslmode=prefer into ENVOI_DATABASE_URL, or switch TLS on in PostgreSQL."),
    ("permission denied", "Give the user of ENVOI_DATABASE_URL the right (owner of the database is simplest)."),
    ("timeout", "The server does not answer in time: check the host in ENVOI_DATABASE_URL and the network."),
)

DISK_HINTS = {
    errno.ENOSPC: "The disk is full: make room and try again.",
    errno.EACCES: "Check the rights on it, or choose another folder with --data.",
    errno.EPERM: "Check the rights on it, or choose another folder with --data.",
    errno.EROFS: "The file system may only be read; choose another folder with --data.",
    errno.EADDRINUSE: "Choose another port with --port.",
}


def explain(error: DatabaseError | OSError) -> str:
    """One line: what happened, where, and what to do."""
    if isinstance(error, DatabaseError):
        return f"{where()}: {first_line(error)}. {database_hint(error)}".strip()
    said = error.strerror or str(error)
    named = f" {error.filename}" if error.filename else ""
    return f"{said}{named}. {DISK_HINTS.get(error.errno or 0, '')}".strip()


def database_hint(error: DatabaseError) -> str:
    text = f"{type(error.__cause__).__name__} {error}".lower()
    return next((hint for sign, hint in DATABASE_HINTS if sign in text), "")


def first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")


def where() -> str:
    """The database, without its password."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"Database {values['NAME']}"
    return f"Database {values['NAME']} on {values.get('HOST') or 'the local socket'}:{values.get('PORT') or 5432}"


def data_folder_writable() -> None:
    """Try to write into the data folder.

    Raises:
        Stop: it cannot be written.
    """
    probe = settings.ENVOI_DATA / f".write-test.{os.getpid()}"
    try:
        probe.write_bytes(b"envoi")
        probe.unlink()
    except OSError as error:
        raise Stop(f"The data folder {settings.ENVOI_DATA} cannot be written. {explain(error)}") from error
