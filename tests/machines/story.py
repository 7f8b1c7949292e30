"""One broadcast, the machines that send it, a mail server that bears witness, and what must hold at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import psycopg

from tests.faults.installation import ROOT
from tests.faults.server import WITNESS, Server
from tests.machines.database import Cluster
from tests.machines.network import Network, signal_all

# A worker leases a thousand at a time: enough for three, and for what a dead one leaves.
PEOPLE = 4000
WINDOW = 100
LEASE = 8
PATIENCE = 180.0
CONNECTIONS = 12
ENDS = {"sent", "failed", "skipped", "unknown"}


@dataclass
class Machine:
    """A machine with a data folder of its own, on which `envoi worker` runs."""

    name: str
    folder: Path
    network: Network
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    started_again: bool = False

    def start(self) -> Machine:
        command = [*self.network.at(self.name), sys.executable, "-m", "envoi.cli", "worker", "--senders", "1"]
        with (self.folder.parent / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env={**self.environment, "ENVOI_DATA": str(self.folder)},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def start_again_if_it_failed(self) -> None:
        """Once, as systemd does with `Restart=always`: PostgreSQL has been seen to close a new connection at once."""
        if self.process is not None and self.process.poll() and not self.started_again:
            self.started_again = True
            self.start()

    @property
    def leader(self) -> int:
        assert self.process is not None
        return self.process.pid

    def ask_to_stop(self) -> None:
        """As `systemctl stop` does."""
        assert self.process is not None
        self.process.terminate()

    def die(self) -> None:
        """All its processes at once."""
        assert self.process is not None
        signal_all(self.leader, signal.SIGKILL)
        self.process.wait(10)
        self.process = None

    def cut(self) -> None:
        """No database, no mail server, nobody."""
        self.network.cut(self.name, self.leader)

    def mend(self) -> None:
        self.network.mend(self.name, self.leader)

    def journals(self) -> list[str]:
        """What its journals say just now."""
        found = []
        for path in (self.folder / "journal").glob("*.journal"):
            with suppress(FileNotFoundError):
                found.append(path.read_text(errors="replace"))
        return found

    def has_sent(self) -> bool:
        """Whether one of its journals has a dot."""
        return any("\nDOT " in text for text in self.journals())

    def has_heard(self) -> bool:
        """Whether one of its journals has an answer."""
        return any("\n250 " in text for text in self.journals())

    @property
    def log(self) -> str:
        return (self.folder.parent / f"{self.name}.log").read_text(errors="replace")


@dataclass
class Story:
    """See the module. `database` is a connection of the test's own."""

    folder: Path
    network: Network
    cluster: Cluster
    name: str
    server: Server
    environment: dict[str, str]
    machines: list[Machine] = field(default_factory=list)

    def machine(self, name: str, folder: Path | None = None, **environment: str) -> Machine:
        """One more machine; with `folder` it has the disk of another."""
        self.network.add(name)
        disk = folder or self.folder / name
        disk.mkdir(exist_ok=True)
        made = Machine(name, disk, self.network, {**self.environment, **environment})
        self.machines.append(made)
        return made

    def start(self, *names: str) -> list[Machine]:
        """So many machines; comes back when all of them work."""
        # It starts beside them, so that nobody has to wait for it later.
        assert self.office.poll() is None
        made = [self.machine(name).start() for name in names]
        self.until_ready(len(self.machines))
        return made

    def until_ready(self, number: int) -> None:
        """Until so many senders have said that they live."""
        living = "SELECT count(*) FROM core_heartbeat WHERE kind = 'sender'"

        def ready() -> bool:
            for machine in self.machines:
                machine.start_again_if_it_failed()
            return self.ask(living) == [(number,)]

        self.until(ready, f"{number} senders live")

    @contextmanager
    def standstill(self) -> Iterator[None]:
        """The mail server does nothing in here."""
        self.server.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.server.process.send_signal(signal.SIGCONT)

    def press_send(self) -> None:
        self.tell("start", self.network.address, self.server.port, CONNECTIONS)

    def look_after(self) -> None:
        """Ask for the watchdog now instead of waiting for its turn, which comes every 20 seconds."""
        self.tell("watch")

    def let_leases_end(self) -> None:
        """Of machines that have just died; then the watchdog looks."""
        time.sleep(LEASE)
        self.look_after()

    @cached_property
    def office(self) -> subprocess.Popen[str]:
        """A machine of its own, where somebody carries out the verbs of `telling.py`."""
        folder = self.folder / "office"
        folder.mkdir()
        with (self.folder / "office.log").open("ab") as log:
            return subprocess.Popen(
                [*self.network.at(""), sys.executable, "-m", "tests.machines.telling"],
                env={**self.environment, "ENVOI_DATA": str(folder)},
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def tell(self, *words: object) -> None:
        """Have a verb of `telling.py` carried out; comes back when it is done."""
        orders, answers = self.office.stdin, self.office.stdout
        assert orders is not None
        assert answers is not None
        print(*words, file=orders, flush=True)
        assert answers.readline() == "done\n", (self.folder / "office.log").read_text()

    def ask(self, question: str, *values: object) -> list[tuple[object, ...]]:
        with self.cluster.connect(self.name) as connection:
            return connection.execute(question.encode(), values).fetchall()

    def states(self) -> dict[str, str]:
        """The state of each address."""
        return dict(self.ask("SELECT address, state FROM delivery_delivery"))  # type: ignore[arg-type]

    def unknown(self) -> set[str]:
        return {address for address, state in self.states().items() if state == "unknown"}

    def finished(self) -> bool:
        try:
            return self.ask("SELECT state FROM delivery_mailing") == [("finished",)]
        except psycopg.OperationalError:
            return False

    def until(self, true: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}\n{self.told()}"
            time.sleep(0.02)

    def until_in_time(self, true: Callable[[], object], what: str) -> None:
        """As `until`, for what must happen before the mailing is finished."""
        self.until(lambda: true() or self.finished(), what)
        assert true(), f"the mailing was finished before: {what}\n{self.told()}"

    def until_all_have_sent(self, *machines: Machine) -> None:
        """Until each of these machines has had a part, before the mailing is finished."""
        took_part: set[str] = set()

        def all_have_sent() -> bool:
            took_part.update(machine.name for machine in machines if machine.has_sent())
            return len(took_part) == len(machines)

        self.until_in_time(all_have_sent, f"{', '.join(machine.name for machine in machines)} have sent")

    def until_finished(self, seconds: float = PATIENCE) -> None:
        self.until(self.finished, "the mailing is finished", seconds)

    def until_accepted(self, number: int) -> None:
        self.until(lambda: self.server.accepted.total() >= number, f"{number} messages arrived")

    def told(self) -> str:
        """How things stand, for whoever has to find out why a test failed."""
        logs = "\n".join(f"── {machine.name}\n{machine.log[-1500:]}" for machine in self.machines)
        return (
            f"{self.network.kind}; accepted {self.server.accepted.total()}; {Counter(self.states().values())}\n{logs}"
        )

    def check(self, unknown_at_most: int) -> None:
        """The invariants: everybody at an end; nobody lost, nobody twice, doubts bounded and named, counts right."""
        rows, accepted = self.states(), self.server.accepted
        ends = Counter(rows.values())
        assert len(rows) == PEOPLE
        assert set(ends) <= ENDS, self.told()
        assert {address for address, times in accepted.items() if times > 1} == set()
        assert {address for address, state in rows.items() if state == "sent"} <= set(accepted)
        assert {address for address in rows if address not in accepted} <= self.unknown()
        assert set(accepted) <= set(rows)
        assert ends["unknown"] <= unknown_at_most, self.told()
        assert ends["failed"] == ends["skipped"] == 0
        tallied = self.ask("SELECT state, sum(count)::int FROM delivery_tally GROUP BY 1 HAVING sum(count) <> 0")
        assert dict(tallied) == dict(ends)  # type: ignore[arg-type]
        assert all(len(names) == 1 for names in self.server.message_ids.values())

    def close(self) -> None:
        """Nobody outlives the story."""
        for machine in self.machines:
            if machine.process is not None:
                machine.mend()
                machine.die()
        signal_all(self.office.pid, signal.SIGKILL)
        self.office.communicate()


@contextmanager
def witness(folder: Path, network: Network, patience: float) -> Iterator[Server]:
    """A mail server in the middle."""
    ledger = folder / "accepted"
    command = [*network.at(""), sys.executable, "-I", str(WITNESS), "--ledger", str(ledger), "--host", network.address]
    process = subprocess.Popen([*command, "--patience", str(patience)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Server(int(process.stdout.readline()), ledger, process)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def environment(url: str) -> dict[str, str]:
    """What all machines share."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ENVOI_", "DJANGO_"))}
    return {
        **kept,
        "ENVOI_DATABASE_URL": url,
        "ENVOI_BASE_URL": "https://mail.example.org",
        "ENVOI_SECRET_KEY": "the-same-key-on-every-machine-which-protects-nothing-here",
        "ENVOI_LEASE_SECONDS": str(LEASE),
        "DJANGO_SETTINGS_MODULE": "envoi.config.settings",
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
    }
