"""A throw-away PostgreSQL for the tests, from Debian's package: `python -m tests.postgresql COMMAND …`.

Makes a cluster in a temporary folder, runs COMMAND with ENVOI_DATABASE_URL pointing at it, and removes it again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path


class NoPostgreSQL(Exception):
    """No server program is installed here."""


def programs() -> Path:
    """The folder of the newest server on this machine.

    Raises:
        NoPostgreSQL: there is none.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise NoPostgreSQL("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    return found[-1].parent


@contextlib.contextmanager
def running() -> Iterator[str]:
    """A fresh server; gives its URL."""
    folder = Path(tempfile.mkdtemp(prefix="envoi-postgresql-"))
    try:
        as_user = _as_unprivileged(folder)
        data, port = folder / "data", _free_port()
        _run(
            [
                *as_user,
                str(programs() / "initdb"),
                "-D",
                str(data),
                "-U",
                "envoi",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ]
        )
        options = (
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} "
            "-c fsync=off -c max_connections=200"
        )
        control = [*as_user, str(programs() / "pg_ctl"), "-D", str(data), "-w"]
        _run([*control, "-l", str(folder / "log"), "-o", options, "start"])
        try:
            yield f"postgresql://envoi@127.0.0.1:{port}/postgres"
        finally:
            _run([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_unprivileged(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: the package's own user runs it then."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "postgres", "postgres")
    return ["runuser", "-u", "postgres", "--"]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


def main() -> int:
    with running() as url:
        return subprocess.run(sys.argv[1:], env={**os.environ, "ENVOI_DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
