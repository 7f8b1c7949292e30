"""A throw-away installation: a temporary data folder and, on PostgreSQL, a schema of its own in the given database.

Guarantee: what stands in the real data folder and in the database's other schemas is neither read nor written, and
nothing of the throw-away installation is left behind.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from envoi.cli.faults import Stop

NAMES = ("ENVOI_DATA", "ENVOI_DATABASE_URL", "ENVOI_BASE_URL", "ENVOI_SECRET_KEY", "ENVOI_SANDBOX_PORT")


@contextmanager
def installation() -> Iterator[int]:
    """Point the environment at a new, empty installation; gives the free port that its base URL names.

    Raises:
        Stop: the database refuses a schema.
    """
    before = {name: os.environ.get(name) for name in NAMES}
    folder = tempfile.mkdtemp(prefix="envoi-throw-away-")
    port = free_port()
    try:
        with own_schema(before["ENVOI_DATABASE_URL"] or "") as url:
            wanted = {"ENVOI_DATA": folder, "ENVOI_DATABASE_URL": url, "ENVOI_BASE_URL": f"http://127.0.0.1:{port}"}
            _put({**dict.fromkeys(NAMES), **wanted})
            yield port
    finally:
        _put(before)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def own_schema(url: str) -> Iterator[str]:
    """The database's URL with a new schema as the only one searched; "" stays "", since SQLite lies in the folder."""
    if not url.startswith(("postgres:", "postgresql:")):
        yield url
        return
    name = f"envoi_throw_away_{secrets.token_hex(6)}"
    _execute(url, "CREATE SCHEMA {}", name)
    try:
        yield _searching(url, name)
    finally:
        _execute(url, "DROP SCHEMA {} CASCADE", name)


def _execute(url: str, statement: str, name: str) -> None:
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
    except psycopg.Error as error:
        said = str(error).strip().splitlines()[0]
        raise Stop(
            f"ENVOI_DATABASE_URL: PostgreSQL does not let us make a schema of our own ({said}). Check the address and "
            "the password, and that the user may create schemas: GRANT CREATE ON DATABASE name TO user."
        ) from error


def _searching(url: str, schema: str) -> str:
    parts = urlsplit(url)
    query = [*parse_qsl(parts.query), ("options", f"-c search_path={schema}")]
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))


def _put(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
