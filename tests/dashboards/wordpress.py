"""A throw-away WordPress multisite from Debian's packages: MariaDB and PHP's own web server, in a temporary folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.postgresql import _free_port

PACKAGE = Path("/usr/share/wordpress")
PLUGIN = Path(__file__).resolve().parents[2] / "integrations/wordpress/envoi-notices"
NEEDED = {
    "wordpress": str(PACKAGE),
    "php-cli": "php",
    "mariadb-server": "mariadbd",
    "libjs-underscore": "/usr/share/javascript/underscore/underscore.min.js",
}
HERE = Path(__file__).parent
# WordPress 6.1 is older than the PHP of its package: what PHP complains of goes to a file, which the test reads.
QUIET = ["-d", "display_errors=0", "-d", "sendmail_path=/bin/true"]
PASSWORD = "correct horse battery staple"


def missing() -> list[str]:
    """Debian's packages that are not installed."""
    found = [name for name, what in NEEDED.items() if not (Path(what).exists() or shutil.which(what))]
    if "php-cli" not in found and "mysqli" not in _output(["php", "-m"]):
        found.append("php-mysql")
    return sorted(set(found))


@dataclass(frozen=True)
class Network:
    """A network with the sites / and /garden/: its administrator is ada@example.net, bob@example.net has /garden/,
    where chloe@example.net, who reads French, is an editor."""

    url: str
    folder: Path

    def complaints(self) -> list[str]:
        """What PHP found wrong in the plugin."""
        log = self.folder / "wp-content/debug.log"
        return [line for line in (log.read_text() if log.exists() else "").splitlines() if "envoi-notices" in line]


@contextlib.contextmanager
def running() -> Iterator[Network]:
    """A fresh network with the plugin activated and not set up."""
    folder = Path(tempfile.mkdtemp(prefix="envoi-wordpress-"))
    folder.chmod(0o711)  # MariaDB, which does not run as root, passes through
    try:
        with _mariadb(folder / "mariadb", folder / "mariadb/socket") as socket:
            yield from _network(folder, socket)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _network(folder: Path, socket: Path) -> Iterator[Network]:
    site, port = folder / "site", _free_port()
    shutil.copytree(PACKAGE, site, ignore=shutil.ignore_patterns("wp-config.php"))
    shutil.copytree(PLUGIN, site / "wp-content/plugins/envoi-notices")
    (site / "wp-config.php").write_text((HERE / "wp-config.php").read_text())
    network = Network(f"http://127.0.0.1:{port}", site)
    environment = {**os.environ, "WP_SOCKET": str(socket), "WP_HOST": f"127.0.0.1:{port}", "WP_PASSWORD": PASSWORD}
    for step in ("site", "network", "people"):
        subprocess.run(
            ["php", *QUIET, str(HERE / "wp-install.php"), str(site), step],
            env={**environment, "WP_STEP": step},
            check=True,
            stdout=subprocess.DEVNULL,
        )
    server = subprocess.Popen(
        ["php", *QUIET, "-S", f"127.0.0.1:{port}", "-t", str(site), str(HERE / "wp-router.php")],
        env={**environment, "PHP_CLI_SERVER_WORKERS": "3"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for(f"{network.url}/wp-login.php")
        yield network
    finally:
        os.killpg(server.pid, 15)
        server.wait(10)


@contextlib.contextmanager
def _mariadb(folder: Path, socket: Path) -> Iterator[Path]:
    folder.mkdir()
    account = "mysql" if os.geteuid() == 0 else ""
    as_user = [f"--user={account}"] if account else []
    if account:
        shutil.chown(folder, account)
    _output(
        [
            "mariadb-install-db",
            "--no-defaults",
            *as_user,
            f"--datadir={folder}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ]
    )
    server = subprocess.Popen(
        [
            shutil.which("mariadbd") or "/usr/sbin/mariadbd",
            "--no-defaults",
            *as_user,
            f"--datadir={folder}",
            f"--socket={socket}",
            "--skip-networking",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=64M",
            f"--pid-file={folder}/pid",
            f"--log-error={folder}/log",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while not socket.exists():
            if time.monotonic() > deadline or server.poll() is not None:
                raise TimeoutError((folder / "log").read_text()[-2000:])
            time.sleep(0.05)
        yield socket
    finally:
        server.kill()
        server.wait(10)
        socket.unlink(missing_ok=True)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(url, timeout=30):
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
