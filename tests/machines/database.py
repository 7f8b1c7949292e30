"""A PostgreSQL that all machines of a test reach, and that can be stopped and started again."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg

from tests.machines.network import Network
from tests.postgresql import programs

PORT = 5432


class Cluster:
    """The server; it listens on the middle of `network`, and on a socket in its folder for the test itself."""

    def __init__(self, folder: Path, network: Network) -> None:
        self._data, self._folder = folder / "data", folder
        self._at, self._address = network.at(""), network.address
        self._port = PORT if self._at else _free_port()
        self._as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as_user:
            shutil.chown(folder, "postgres", "postgres")
        self._do("initdb", "-U", "envoi", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        # As user of the package, whose folder it is.
        rule = f"echo 'host all all {self._address}/24 trust' >> {self._data}/pg_hba.conf"
        subprocess.run([*self._as_user, "sh", "-c", rule], check=True, cwd="/")

    def start(self) -> None:
        options = (
            f"-p {self._port} -c listen_addresses={self._address} -c unix_socket_directories={self._folder} "
            "-c fsync=off -c max_connections=200"
        )
        self._do("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        self._do("pg_ctl", "-w", "-m", how, "stop")

    def url(self, name: str) -> str:
        """The address of a database as the machines use it."""
        return f"postgresql://envoi@{self._address}:{self._port}/{name}"

    def connect(self, name: str) -> psycopg.Connection:
        """A connection of the test's own, which no cut link concerns."""
        return psycopg.connect(
            host=str(self._folder), port=self._port, user="envoi", dbname=name, autocommit=True, connect_timeout=60
        )

    def copy(self, template: str) -> str:
        """A new database like `template`, to which nobody is connected; its name."""
        name = f"story_{secrets.token_hex(4)}"
        with self.connect("postgres") as connection:
            statement: LiteralString = "CREATE DATABASE {} TEMPLATE {}"
            connection.execute(
                psycopg.sql.SQL(statement).format(psycopg.sql.Identifier(name), psycopg.sql.Identifier(template))
            )
        return name

    def _do(self, program: str, *words: str) -> None:
        command = [*self._at, *self._as_user, str(programs() / program), "-D", str(self._data), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


@contextmanager
def cluster(network: Network) -> Iterator[Cluster]:
    """A running server, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="envoi-machines-"))
    try:
        made = Cluster(folder, network)
        made.start()
        try:
            yield made
        finally:
            made.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
