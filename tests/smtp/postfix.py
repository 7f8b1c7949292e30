"""A throw-away Postfix (Debian's package) that takes mail for everybody and lays it in one maildir.

It has its own configuration, queue and port; the machine's own Postfix is not touched. Needs root, as Postfix does.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MASTER = "/usr/lib/postfix/sbin/master"

# Whole seconds: with one, a message may be tried again in the very millisecond in which pipe(8) gives it back. When it
# still holds the file then, qmgr(8) says "skipped, still being delivered" and leaves it alone until it is restarted.
BACKOFF = 2

MAIN = """\
compatibility_level = 3.6
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.test
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = static:all
virtual_mailbox_base = {folder}
virtual_mailbox_maps = static:maildir/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtputf8_enable = yes
smtpd_recipient_restrictions = check_recipient_access regexp:{folder}/refused, permit_mynetworks, reject
transport_maps = regexp:{folder}/transports
receive_destination_recipient_limit = 1
smtpd_client_connection_count_limit = 0
queue_run_delay = 1s
minimal_backoff_time = {backoff}s
maximal_backoff_time = {backoff}s
service_throttle_time = 1s
smtpd_tls_security_level = none
"""

SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n -  0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n -  - trivial-rewrite
bounce    unix  - - n -  0 bounce
defer     unix  - - n -  0 bounce
trace     unix  - - n -  0 bounce
error     unix  - - n -  - error
retry     unix  - - n -  - error
discard   unix  - - n -  - discard
anvil     unix  - - n -  1 anvil
scache    unix  - - n -  1 scache
proxymap  unix  - - n -  - proxymap
virtual   unix  - n n -  - virtual
postlog   unix-dgram n - n - 1 postlogd
back      unix  - n n -  - pipe user=nobody argv={folder}/sent-back ${{recipient}}
receive   unix  - n n -  2 pipe flags=R user=nobody argv={folder}/receive ${{original_recipient}}
"""

# What this Postfix refuses, so that a refusal is a real server's.
REFUSED = """\
/^nobody[.+@]/ 550 5.1.1 No such user here
/^full[.+@]/ 452 4.2.2 Mailbox full
"""

# What it accepts and sends back a moment later, and where what is sent back goes.
TRANSPORTS = """\
/^(gone|blocked)[.+@]/ back:
/^bounces\\+/ receive:
"""
SENT_BACK = """\
#!/bin/sh
case "$1" in
gone*) echo "5.1.1 Nobody of this name beyond the relay"; exit 67 ;;
*) echo "5.7.1 We do not want this"; exit 69 ;;
esac
"""
# What is said of messages that nobody wants to have yet: come again.
LATER = "#!/bin/sh\nexit 75\n"


@dataclass(frozen=True, slots=True)
class Postfix:
    """A running server."""

    port: int
    folder: Path

    def messages(self) -> list[bytes]:
        """Everything delivered so far, as the files of the maildir."""
        return [path.read_bytes() for path in sorted((self.folder / "maildir/new").glob("*"))]

    def empty(self) -> None:
        """Throw away what was delivered."""
        for path in (self.folder / "maildir/new").glob("*"):
            path.unlink()

    def wait_for(self, count: int, seconds: float = 120) -> list[bytes]:
        """The messages, as soon as there are `count`; what there is when the time is up."""
        until = time.monotonic() + seconds
        while len(self.messages()) < count and time.monotonic() < until:
            time.sleep(0.05)
        return self.messages()

    def pipe_into(self, script: str) -> None:
        """From now on, give what comes to return paths to this script, run by the user nobody."""
        path = self.folder / "receive"
        beside = path.with_suffix(".new")
        beside.write_text(script)
        beside.chmod(0o755)
        beside.rename(path)


def why_not() -> str:
    """Why no Postfix can run here; "" if it can."""
    if not Path(MASTER).exists():
        return "Postfix is not installed (Debian: apt-get install postfix)"
    return "" if os.geteuid() == 0 else "Postfix needs root to start"


@contextlib.contextmanager
def running() -> Iterator[Postfix]:
    """Start it in a temporary folder; stop and remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="envoi-postfix-"))
    try:
        port = _free_port()
        _configure(folder, port)
        server = Postfix(port, folder)
        server.pipe_into(LATER)
        subprocess.run(["/usr/sbin/postfix", "-c", str(folder / "etc"), "start"], check=True, capture_output=True)
        try:
            _wait_until_open(port)
            yield server
        finally:
            subprocess.run(["/usr/sbin/postfix", "-c", str(folder / "etc"), "stop"], check=False, capture_output=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _configure(folder: Path, port: int) -> None:
    owner = pwd.getpwnam("postfix")
    folder.chmod(0o755)
    for name in ("etc", "queue", "data", "maildir"):
        (folder / name).mkdir()
    for name in ("data", "maildir"):
        os.chown(folder / name, owner.pw_uid, owner.pw_gid)
    values = {"folder": folder, "port": port, "uid": owner.pw_uid, "gid": owner.pw_gid, "backoff": BACKOFF}
    (folder / "etc/main.cf").write_text(MAIN.format(**values))
    (folder / "etc/master.cf").write_text(SERVICES.format(**values))
    (folder / "refused").write_text(REFUSED)
    (folder / "transports").write_text(TRANSPORTS)
    (folder / "sent-back").write_text(SENT_BACK)
    (folder / "sent-back").chmod(0o755)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_until_open(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"Postfix does not answer on port {port}")
