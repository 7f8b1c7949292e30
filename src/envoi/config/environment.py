"""The environment variables Envoi reads, each translated once into a typed value.

Guarantee: a wrong value stops the program with a message that names the variable, what was found and what to do;
it never surfaces later as a traceback.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url

SQLITE_FILE = "envoi.sqlite3"


class SettingError(Exception):
    """A setting of the environment cannot be used; the message is for the person who set it."""


def data_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder that holds everything this installation keeps: database, secret key, spool, sandbox mailbox.

    Raises:
        SettingError: the folder cannot be made.
    """
    folder = Path(environ.get("ENVOI_DATA") or "data").resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(
            f"ENVOI_DATA: the data folder {folder} cannot be made ({error.strerror}). "
            "Choose a folder you may write to, with --data or ENVOI_DATA."
        ) from error
    return folder


def secret_key(folder: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The key that signs tokens and protects secrets at rest: ENVOI_SECRET_KEY, or one made once in the data folder.

    Raises:
        SettingError: the key is shorter than 50 characters, or its file can be neither read nor written.
    """
    given = environ.get("ENVOI_SECRET_KEY")
    if given is not None:
        return checked_key(given, "ENVOI_SECRET_KEY")
    path = folder / "secret.key"
    try:
        return checked_key(read_or_make_key(path), str(path))
    except (OSError, UnicodeError) as error:
        full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise SettingError(
            f"The secret key {path} can be neither read nor made ({getattr(error, 'strerror', None) or 'no text'}). "
            + ("Make room on the disk and start again." if full else "Check the rights on the data folder.")
        ) from error


def read_or_make_key(path: Path) -> str:
    if not path.exists():
        made = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(64))
                file.flush()
                os.fsync(file.fileno())
            # link, not rename: of two processes that start together, the first one's key stays.
            with contextlib.suppress(FileExistsError):
                os.link(made, path)
        finally:
            made.unlink(missing_ok=True)
    return path.read_text().strip()


def checked_key(key: str, where: str) -> str:
    if len(key) < 50:
        raise SettingError(
            f"{where}: the secret key has {len(key)} characters; it needs at least 50. "
            'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(64))"'
        )
    return key


def database(folder: Path, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Django's DATABASES entry: PostgreSQL by ENVOI_DATABASE_URL, else SQLite in the data folder.

    Raises:
        SettingError: the URL cannot be read or names another kind of database.
    """
    url = environ.get("ENVOI_DATABASE_URL", "").strip()
    if not url:
        return sqlite(folder / SQLITE_FILE)
    scheme = url.partition(":")[0]
    if scheme not in {"postgres", "postgresql"}:
        raise SettingError(
            f"ENVOI_DATABASE_URL starts with “{scheme}:”; Envoi works with PostgreSQL "
            "(postgresql://user:password@host:5432/name) or, when the variable is not set, with SQLite."
        )
    try:
        parsed: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True))
    except (ValueError, dj_database_url.ParseError, dj_database_url.UnknownSchemeError) as error:
        raise SettingError(
            "ENVOI_DATABASE_URL cannot be read. Write postgresql://user:password@host:5432/name, "
            "with special characters in the password percent-encoded."
        ) from error
    if not parsed.get("NAME"):
        raise SettingError("ENVOI_DATABASE_URL names no database: put its name at the end, …@host:5432/name.")
    # A server that cannot be reached any more must be noticed while the leases still hold; what the URL says wins.
    # A standby that is about to take over already answers, but writes nothing yet: it counts as one that is away.
    ours: dict[str, Any] = {
        "connect_timeout": 10,
        "target_session_attrs": "read-write",
        **keepalives(lease_seconds(environ)),
    }
    return {**parsed, "OPTIONS": ours | parsed.get("OPTIONS", {})}


def keepalives(lease: int) -> dict[str, int]:
    """After how much silence a link to PostgreSQL is dead, in libpq's words: half a lease, which so outlives it."""
    interval = max(1, lease // 12)
    return {
        "keepalives_idle": max(1, lease // 2 - 3 * interval),
        "keepalives_interval": interval,
        "keepalives_count": 3,
        "tcp_user_timeout": lease * 500,
    }


def sqlite(path: Path) -> dict[str, Any]:
    """SQLite as the design asks: WAL, synchronous=FULL, IMMEDIATE transactions, writers that wait."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": (
                # Large sorts go to files: in memory the freeze of a million took 110 MB more of whoever pressed Send.
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
                # No mmap: mapped pages count as the process's memory, and here nothing was faster with them.
                "PRAGMA cache_size=-8000;"
            ),
        },
    }


def base_url(environ: Mapping[str, str] = os.environ) -> str:
    """The address under which readers reach this installation, without a slash at the end, its host in ASCII.

    Raises:
        SettingError: it is no plain http or https address.
    """
    url = (environ.get("ENVOI_BASE_URL") or "http://localhost:8025").strip().rstrip("/")
    if wrong := wrong_address(url):
        raise SettingError(
            f"ENVOI_BASE_URL is “{url}”: {wrong}. It needs to be an address such as https://mail.example.org."
        )
    parts = urlsplit(url)
    return parts._replace(netloc=ascii_host(parts.netloc)).geturl()


def journal_sync(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether each final dot waits until the disk has its line of the journal: ENVOI_JOURNAL_SYNC, off by default.

    Raises:
        SettingError: it is neither 0 nor 1.
    """
    text = environ.get("ENVOI_JOURNAL_SYNC") or "0"
    if text not in {"0", "1"}:
        raise SettingError(f"ENVOI_JOURNAL_SYNC is “{text}”; it needs to be 1 (wait for the disk) or 0.")
    return text == "1"


def lease_seconds(environ: Mapping[str, str] = os.environ) -> int:
    """How long a worker that fell silent keeps what it holds: ENVOI_LEASE_SECONDS, 60 by default.

    Less brings the rows of a dead machine back sooner, and leaves less time for a database that is away.

    Raises:
        SettingError: it is no whole number from 8 to 3600.
    """
    text = environ.get("ENVOI_LEASE_SECONDS") or "60"
    if not (text.isascii() and text.isdigit() and 8 <= int(text) <= 3600):
        raise SettingError(f"ENVOI_LEASE_SECONDS is “{text}”; it needs to be a whole number from 8 to 3600.")
    return int(text)


def wrong_address(url: str) -> str:
    """What is wrong with an address that is to stand at the start of every link; empty when nothing is."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        ascii_host(parts.netloc)
        parts.port  # noqa: B018 - raises for what is no number
    except ValueError:
        return "it cannot be read"
    if any(sign.isspace() or not sign.isprintable() or sign in '"<>\\' for sign in url):
        return "it holds a space or a sign that no address may hold"
    if parts.scheme not in {"http", "https"}:
        return "it does not start with https:// or http://"
    if not host:
        return "it names no host"
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        return "Envoi needs a host name of its own, without user name, path, “?” or “#”"
    return ""


def ascii_host(netloc: str) -> str:
    """The host as browsers and mail programs send it (RFC 3490); UnicodeError, a ValueError, when there is none."""
    return netloc if netloc.isascii() else netloc.encode("idna").decode("ascii")
