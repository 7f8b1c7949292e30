"""An installation of its own for tests that start and kill real processes: data folder, database, environment."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg

from envoi.config.environment import SQLITE_FILE

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Installation:
    """A migrated, empty installation."""

    folder: Path
    environment: dict[str, str]

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start `python *command` of this installation; its output goes to `output.log`."""
        with (self.folder / "output.log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, *command],
                env=self.environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
            )

    @property
    def output(self) -> str:
        """What everything that was started has printed so far."""
        return (self.folder / "output.log").read_text()

    def attempt(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run `python *command` to its end."""
        return subprocess.run(
            [sys.executable, *command],
            env=self.environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, *command: str) -> str:
        """What `python *command` prints; it must succeed."""
        done = self.attempt(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def make(folder: Path, *, migrated: bool = True) -> Installation:
    """A new installation in `folder`, on the kind of database that this test run is about."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("ENVOI_", "DJANGO_"))},
        "ENVOI_DATA": str(folder),
        "DJANGO_SETTINGS_MODULE": "envoi.config.settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
    }
    server = os.environ.get("ENVOI_DATABASE_URL")
    if server:
        environment["ENVOI_DATABASE_URL"] = new_database(server, migrated_database(server) if migrated else "")
    elif migrated:
        shutil.copy(migrated_file(), folder / SQLITE_FILE)
    return Installation(folder, environment)


@cache
def migrated_file() -> Path:
    """A migrated SQLite file, made once per test run and copied."""
    folder = Path(tempfile.mkdtemp(prefix="envoi-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = make(folder, migrated=False)
    made.run("manage.py", "migrate", "-v0", "--skip-checks")
    with sqlite3.connect(folder / SQLITE_FILE) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return folder / SQLITE_FILE


@cache
def migrated_database(server: str) -> str:
    """The name of a migrated PostgreSQL database, made once per test run and copied."""
    with tempfile.TemporaryDirectory() as folder:
        made = make(Path(folder), migrated=False)
        made.run("manage.py", "migrate", "-v0", "--skip-checks")
        return made.environment["ENVOI_DATABASE_URL"].rpartition("/")[2]


def new_database(server: str, template: str = "") -> str:
    name = f"envoi_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template or "template1"}"'.encode())
    return f"{server.rpartition('/')[0]}/{name}"
