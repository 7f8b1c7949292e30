"""The machines of a test: network namespaces joined by a bridge, or, where these are not allowed, groups of processes.

A namespace (Debian: iproute2) has an address, a link that can be cut, the boot id of a kernel of its own and nothing
else of the network, not even the internet. Database and mail server stand at the bridge, in a namespace of their own,
so nothing of the real network is touched. Groups share the network: cutting one off is stopping all its processes
(SIGSTOP), which no link-down equals but which also ends in waking up under a lost lease. `Network.kind` says which.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from envoi.delivery.machine import BOOT_ID

# RFC 2544 §C.2.2: for tests of networks, so it is nobody's.
SUBNET = "198.18"


class Network(ABC):
    """Where machines stand and how they reach the middle."""

    kind: str
    address: str
    """At which database and mail server listen."""

    @abstractmethod
    def add(self, name: str) -> None:
        """A new machine."""

    @abstractmethod
    def at(self, name: str) -> list[str]:
        """What to write before a command that is to run on this machine; "" is the middle."""

    @abstractmethod
    def cut(self, name: str, leader: int) -> None:
        """Part this machine, whose processes `leader` leads, from everybody else."""

    @abstractmethod
    def mend(self, name: str, leader: int) -> None:
        """Undo `cut`."""


class Namespaces(Network):
    kind = "network namespaces"

    def __init__(self) -> None:
        self._run_as = f"envoi-t{secrets.token_hex(3)}"
        number = secrets.randbelow(254) + 1
        self._subnet = f"{SUBNET}.{number}"
        self.address = f"{self._subnet}.1"
        self._machines: list[str] = []
        self._folder = Path(tempfile.mkdtemp(prefix="envoi-machines-"))
        self._boot_ids: dict[str, Path] = {}
        self._hub = self._called("hub")
        ip("netns", "add", self._hub)
        self._in_hub("link", "set", "lo", "up")
        self._in_hub("link", "add", "bridge", "type", "bridge")
        self._in_hub("addr", "add", f"{self.address}/24", "dev", "bridge")
        self._in_hub("link", "set", "bridge", "up")

    def add(self, name: str) -> None:
        if name in self._machines:
            return
        self._machines.append(name)
        self._boot_ids[name] = self._folder / name
        self._boot_ids[name].write_text(f"{uuid.uuid4()}\n")
        space, address = self._called(name), f"{self._subnet}.{len(self._machines) + 1}/24"
        ip("netns", "add", space)
        ip("link", "add", "name", "eth0", "netns", space, "type", "veth", "peer", "name", name, "netns", self._hub)
        self._in_hub("link", "set", name, "master", "bridge", "up")
        ip("-n", space, "addr", "add", address, "dev", "eth0")
        ip("-n", space, "link", "set", "lo", "up")
        ip("-n", space, "link", "set", "eth0", "up")

    def at(self, name: str) -> list[str]:
        command = ["ip", "netns", "exec", self._called(name or "hub")]
        if name:
            # The run of its own kernel that a machine would have; `ip netns exec` has made a mount namespace.
            command += ["sh", "-c", f'mount --bind "$0" {BOOT_ID} && exec "$@"', str(self._boot_ids[name])]
        return command

    def cut(self, name: str, leader: int) -> None:
        self._in_hub("link", "set", name, "down")

    def mend(self, name: str, leader: int) -> None:
        self._in_hub("link", "set", name, "up")

    def remove(self) -> None:
        for name in (*self._machines, "hub"):
            with contextlib.suppress(subprocess.CalledProcessError):
                ip("netns", "del", self._called(name))
        shutil.rmtree(self._folder, ignore_errors=True)

    def _called(self, name: str) -> str:
        return f"{self._run_as}-{name}"

    def _in_hub(self, *words: str) -> None:
        ip("-n", self._hub, *words)


class Groups(Network):
    kind = "groups of processes"
    address = "127.0.0.1"

    def add(self, name: str) -> None:
        pass

    def at(self, name: str) -> list[str]:
        return []

    def cut(self, name: str, leader: int) -> None:
        signal_all(leader, signal.SIGSTOP)

    def mend(self, name: str, leader: int) -> None:
        signal_all(leader, signal.SIGCONT)


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """The best that is allowed here. ENVOI_TEST_MACHINES=groups asks for groups of processes."""
    if os.environ.get("ENVOI_TEST_MACHINES") == "groups" or not shutil.which("ip"):
        yield Groups()
        return
    try:
        made = Namespaces()
    except subprocess.CalledProcessError:
        yield Groups()
        return
    try:
        yield made
    finally:
        made.remove()


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def session(leader: int) -> list[int]:
    """Every process of the session that this one leads: on a machine of the tests, all that run on it."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[3]) == leader:
                    found.append(int(entry.name))
    return found


def signal_all(leader: int, number: int) -> None:
    """Send a signal to every process of a session."""
    for pid in session(leader):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
