"""The SMTP server behind the sandbox mailbox.

Guarantees: listens on loopback only; answers 250 after the message is durable, one commit for all that wait (group
commit); a message is kept once per recipient, under the address of the envelope.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from envoi.core import clock
from envoi.delivery.sandbox.store import FILE, Mailbox, Received
from envoi.delivery.sandbox.talk import Talk
from envoi.delivery.sandbox.tricks import trick_of

HOST = "127.0.0.1"
PORT_FILE = "sandbox.port"

log = logging.getLogger(__name__)


class SandboxError(Exception):
    """The sandbox mailbox cannot start; the message says why and what to do."""


class Desk:
    """Takes messages in and has them kept; several wait for one commit."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._waiting: list[tuple[Received, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def keep(self, message: Received) -> None:
        """Returns when the message is durable.

        Raises:
            OSError, sqlite3.Error: it could not be written (disk full …).
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((message, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await done

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            error: Exception | None = None
            try:
                await asyncio.to_thread(self._mailbox.add, [message for message, _ in batch])
            except Exception as caught:  # told to every sender that waits
                error = caught
            for _, done in batch:
                if done.done():
                    continue
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)
        self._writing = None


class Manners:
    """What the server says to a recipient and to a message."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._met: set[str] = set()

    def judge(self, address: str) -> str:
        """The refusal that the address asks for, or ""."""
        trick = trick_of(address, "rcpt")
        if trick is None or (trick.once and address in self._met):
            return ""
        self._met.add(address)
        return trick.answer

    async def keep(self, sender: str, recipients: list[str], message: bytes) -> str:
        """The answer to a message; "" breaks the connection off."""
        for address in recipients:
            trick = trick_of(address, "data")
            if trick is not None:
                return trick.answer
        now = clock.now()
        try:
            await asyncio.gather(*(self._desk.keep(Received(now, sender, address, message)) for address in recipients))
        except Exception as error:  # said to the client, which keeps the message and tries again
            log.error("The sandbox mailbox cannot keep a message: %s", error)
            return f"452 4.3.1 The sandbox mailbox cannot keep the message: {str(error)[:200]}"
        return "250 2.0.0 Kept in the sandbox mailbox"


class Server:
    """The server and its address: `async with Server(folder) as server: … server.port`."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder
        self.port = port
        self._mailbox = Mailbox(folder / FILE)
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Server:
        await asyncio.to_thread(self._mailbox.count)
        manners = Manners(Desk(self._mailbox))
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: Talk(manners.judge, manners.keep),
                HOST,
                self.port,
            )
        except OSError as error:
            raise SandboxError(
                f"ENVOI_SANDBOX_PORT: port {self.port} cannot be used ({error.strerror}). "
                "Choose another one, or unset it to have a free one found."
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]
        _write(self.folder / PORT_FILE, f"{self.port}\n")
        return self

    async def __aexit__(self, *_: object) -> None:
        (self.folder / PORT_FILE).unlink(missing_ok=True)
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self._mailbox.close()


def chosen_port(environ: Mapping[str, str] = os.environ) -> int:
    """ENVOI_SANDBOX_PORT, or 0 for any free one.

    Raises:
        SandboxError: it is no port number.
    """
    text = environ.get("ENVOI_SANDBOX_PORT") or "0"
    if not text.isdigit() or int(text) > 65535:
        raise SandboxError(f"ENVOI_SANDBOX_PORT is “{text}”; it needs to be a port number up to 65535.")
    return int(text)


def run(folder: Path | None = None, port: int | None = None) -> int:
    """Serve until SIGINT or SIGTERM; the exit code."""
    try:
        asyncio.run(_serve(folder or Path(settings.ENVOI_DATA), chosen_port() if port is None else port))
    except SandboxError as error:
        sys.stderr.write(f"envoi: {error}\n")
        return 1
    return 0


async def _serve(folder: Path, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with Server(folder, port):
        await stop.wait()


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    made = path.with_name(f"{path.name}.{os.getpid()}")
    made.write_text(text)
    made.replace(path)
