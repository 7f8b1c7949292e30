"""The database is away, full, locked, or another one: sending waits, nobody is blamed, and nobody gets it twice."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.faults import installation
from tests.faults.server import SENDING, check, finish, look, serving
from tests.postgresql import programs

pytestmark = pytest.mark.slow

URL = os.environ.get("ENVOI_DATABASE_URL", "")
on_a_server = pytest.mark.skipif(not URL, reason="needs a database server")
WINDOW = 100


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "accepted"


class Pair:
    """A server and its standby, which get the port of the first in turn."""

    def __init__(self, folder: Path, as_user: list[str]) -> None:
        self.folder, self.port, self.spare, self.as_user = folder, free_port(), free_port(), as_user
        if as_user:
            shutil.chown(folder, "postgres", "postgres")
        self.run("initdb", "-D", "first", "-U", "envoi", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        self.start("first", self.port)
        self.run("pg_basebackup", "-D", "second", "-R", "-c", "fast", "--no-sync", *self.at(self.port))
        self.start("second", self.spare)

    def run(self, program: str, *words: str) -> None:
        command = [*self.as_user, str(programs() / program), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)

    def at(self, port: int) -> list[str]:
        return ["-h", "127.0.0.1", "-p", str(port), "-U", "envoi"]

    def start(self, which: str, port: int) -> None:
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off"
        self.run("pg_ctl", "-D", which, "-w", "-l", f"{which}.log", "-o", options, "start")

    def stop(self, which: str) -> None:
        self.run("pg_ctl", "-D", which, "-w", "-m", "immediate", "stop")

    def ask(self, port: int, question: str, database: str = "postgres") -> list[tuple[object, ...]]:
        url = f"postgresql://envoi@127.0.0.1:{port}/{database}"
        with psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute(question.encode())
            return found.fetchall() if found.description else []

    def fall_behind(self) -> None:
        """From now on the standby hears nothing."""
        self.ask(self.spare, "ALTER SYSTEM SET primary_conninfo = ''")
        self.ask(self.spare, "SELECT pg_reload_conf()")
        while self.ask(self.spare, "SELECT 1 FROM pg_stat_wal_receiver"):
            time.sleep(0.02)

    def take_over(self) -> None:
        """The standby in the place of the server, which is dead."""
        self.stop("second")
        self.start("second", self.port)
        # So long it answers already and writes nothing; senders ask twice a second.
        time.sleep(1.5)
        self.run("pg_ctl", "-D", "second", "-w", "promote")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def pair() -> Iterator[Pair]:
    """Both are gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="envoi-pair-"))
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    try:
        yield Pair(folder, as_user)
    finally:
        for which in ("first", "second"):
            stop = [*as_user, str(programs() / "pg_ctl"), "-D", which, "-m", "immediate", "stop"]
            subprocess.run(stop, cwd=folder, capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def sent(pair: Pair) -> int:
    ((number,),) = pair.ask(pair.port, "SELECT count(*) FROM delivery_delivery WHERE state = 'sent'", "envoi")
    assert isinstance(number, int)
    return number


@on_a_server
@pytest.mark.fault("F11")
@pytest.mark.fault("F12")
def test_a_standby_that_missed_two_seconds_takes_over_and_nobody_gets_it_twice(tmp_path: Path, ledger: Path) -> None:
    here = installation.make(tmp_path)
    with pair() as both, serving(ledger, patience=0.02) as server:
        both.ask(both.port, "CREATE DATABASE envoi")
        new = f"postgresql://envoi@127.0.0.1:{both.port}/envoi"
        copied = f'"{programs()}/pg_dump" "{here.environment["ENVOI_DATABASE_URL"]}" | "{programs()}/psql" -q "{new}"'
        subprocess.run(["sh", "-c", copied], check=True, stdout=subprocess.DEVNULL)
        here.environment.update(ENVOI_DATABASE_URL=new, ENVOI_LEASE_SECONDS="8")
        here.run(*SENDING, "seed", str(server.port), "2000")
        senders = [here.start(*SENDING, "send-on") for _ in range(2)]
        server.wait_until(200)
        both.fall_behind()
        time.sleep(2)
        before, knew = server.accepted.total(), sent(both)
        both.stop("first")
        # Away for long: what was on its way is answered, nothing else is begun.
        time.sleep(2)
        during = server.accepted.total()
        assert before <= during <= before + 2 * WINDOW + 100
        time.sleep(1)
        assert server.accepted.total() == during
        both.take_over()
        assert sent(both) < knew
        assert [sender.wait(90) for sender in senders] == [0, 0], here.output
        check(finish(here), server, bound=0)
        assert server.accepted.total() == 2000
        assert "Another database server took over" in here.output


@on_a_server
@pytest.mark.fault("F13")
def test_a_deadlock_costs_a_retry_and_nobody_the_message(tmp_path: Path, ledger: Path) -> None:
    here = installation.make(tmp_path)
    with serving(ledger, patience=0.01) as server, psycopg.connect(here.environment["ENVOI_DATABASE_URL"]) as other:
        here.run(*SENDING, "seed", str(server.port), "300")
        sender = here.start(*SENDING, "send")
        server.wait_until(60)
        # So that it is the sender who is told.
        other.execute("SET deadlock_timeout = '60s'")
        other.execute("UPDATE delivery_tally SET count = count")
        other.execute(
            "INSERT INTO delivery_tally (mailing_id, minute, state, skip_reason, count) "
            "SELECT id, date_trunc('minute', now()) + interval '1 minute', 'sent', '', 0 FROM delivery_mailing"
        )
        waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        deadline = time.monotonic() + 120
        while not other.execute(waits).fetchone():
            assert time.monotonic() < deadline, here.output
            time.sleep(0.02)
            other.execute("SELECT pg_stat_clear_snapshot()")
        other.execute("UPDATE delivery_lease SET until = until")
        other.rollback()
        assert sender.wait(60) == 0
        end = look(here)
        check(end, server, bound=0)
        assert (end.states, server.accepted.total()) == ({"sent": 300}, 300)
        assert "deadlock detected" in here.output


@on_a_server
@pytest.mark.fault("F13")
def test_a_server_that_takes_no_connection_is_waited_for(tmp_path: Path, ledger: Path) -> None:
    here = installation.make(tmp_path)
    url = here.environment["ENVOI_DATABASE_URL"]
    name = url.rpartition("/")[2]
    with serving(ledger, patience=0.01) as server, psycopg.connect(URL, autocommit=True) as other:
        here.run(*SENDING, "seed", str(server.port), "300")
        sender = here.start(*SENDING, "send-on")
        server.wait_until(60)
        other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        time.sleep(2)
        other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())
        assert sender.wait(60) == 0
        end = look(here)
        check(end, server, bound=0)
        assert (end.states, server.accepted.total()) == ({"sent": 300}, 300)
        assert "is not currently accepting connections" in here.output


@pytest.mark.skipif(bool(URL), reason="a database server has a disk of its own")
@pytest.mark.fault("F30")
def test_a_disk_too_full_for_the_database_stops_sending_within_what_is_on_its_way(tmp_path: Path, ledger: Path) -> None:
    here = installation.make(tmp_path)
    here.environment["ENVOI_LEASE_SECONDS"] = "8"
    with serving(ledger, patience=0.01) as server:
        here.run(*SENDING, "seed", str(server.port), "600")
        sender = here.start(*SENDING, "send-in-vain", "300000")
        assert sender.wait(60) == 1
        assert "disk" in here.output.splitlines()[-1]
        stuck = server.accepted.total()
        assert 0 < stuck < 600
        before = look(here)
        assert stuck - len(before.those("sent")) <= WINDOW
        end = finish(here)
        check(end, server, bound=0)
        assert (end.states, server.accepted.total()) == ({"sent": 600}, 600)
