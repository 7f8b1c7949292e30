"""An installation of its own for tests that start and kill real processes: data folder, database, environment."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg

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
        "PYTHONPATH": str(ROOT),
    }
    if server := os.environ.get("ENVOI_DATABASE_URL"):
        environment["ENVOI_DATABASE_URL"] = new_database(server)
    made = Installation(folder, environment)
    if migrated:
        made.run("manage.py", "migrate", "-v0", "--skip-checks")
    return made


def new_database(server: str) -> str:
    name = f"envoi_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return f"{server.rpartition('/')[0]}/{name}"
