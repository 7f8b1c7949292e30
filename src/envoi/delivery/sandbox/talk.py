"""The server's side of an SMTP conversation (RFC 5321, 2920, 1870, 6152, 6531), for the sandbox mailbox.

Own, because a server that reads line by line takes 300 messages of 20 KB a second where this one takes thousands: the
sandbox should not be what limits a demonstration. Strict where a lax server would hide a fault of the sender: only
CRLF . CRLF ends a message, and an international address needs SMTPUTF8.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

LARGEST = 50 * 1024 * 1024
LONGEST_LINE = 4096
MOST_RECIPIENTS = 100
PATIENCE = 300.0
NAME = "sandbox.invalid"

OFFERED = ("PIPELINING", f"SIZE {LARGEST}", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8")
_PATH = re.compile(r"(?:FROM|TO):\s*<([^<>]*)>\s*(.*)", re.IGNORECASE)
_END = b"\r\n.\r\n"

Judge = Callable[[str], str]  # an address → "" or the refusal
Keep = Callable[[str, list[str], bytes], Awaitable[str]]  # return path, recipients, message → answer, "" breaks off


class Talk(asyncio.Protocol):
    """One conversation. Commands are answered in their order, also those sent ahead while a message is being kept."""

    def __init__(self, judge: Judge, keep: Keep) -> None:
        self._judge = judge
        self._keep = keep
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._looked = 0
        self._greeted = False
        self._sender: str | None = None
        self._international = False
        self._recipients: list[str] = []
        self._reading = False
        self._overlong = False
        self._ended = False
        self._task: asyncio.Task[None] | None = None
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP server makes nothing else
        self._transport = transport
        self._say(f"220 {NAME} ESMTP Envoi sandbox mailbox")
        self._wait()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._task is None:
            self._work()
        elif len(self._buffer) > LARGEST and self._transport is not None:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """A client that says no more still gets the answers to what it said."""
        self._ended = True
        if self._task is None:
            self._close()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._patience is not None:
            self._patience.cancel()

    def _work(self) -> None:
        """Answer whatever stands complete in the buffer, up to a message that has to be kept first."""
        self._wait()
        while self._transport is not None and self._task is None:
            if not (self._message() if self._reading else self._line()):
                return

    def _line(self) -> bool:
        end = self._buffer.find(b"\n")
        if end < 0:
            if len(self._buffer) > LONGEST_LINE:
                self._say("500 5.5.2 The line is too long")
                self._close()
            return False
        raw = bytes(self._buffer[:end]).rstrip(b"\r")
        del self._buffer[: end + 1]
        try:
            word, _, rest = raw.decode().partition(" ")
        except UnicodeDecodeError:
            self._say("500 5.5.2 The command is not UTF-8")
            return True
        command = getattr(self, f"_on_{word.lower()}", None) if word.isalpha() else None
        self._say(command(rest.strip()) if command else "502 5.5.1 Command not known here")
        if word.upper() == "QUIT":
            self._close()
        return True

    def _message(self) -> bool:
        """Take the message whose end has arrived."""
        if self._looked == 0 and self._buffer.startswith(b".\r\n"):
            end, after = 0, 3
        else:
            end = self._buffer.find(_END, max(0, self._looked - len(_END)))
            after = end + len(_END)
        if end < 0:
            self._looked = len(self._buffer)
            if self._looked > LARGEST:
                self._overlong = True
                del self._buffer[: -len(_END)]
                self._looked = len(self._buffer)
            return False
        raw = bytes(self._buffer[: end + 2]) if end else b""
        del self._buffer[:after]
        self._reading, self._looked = False, 0
        sender, recipients = self._sender or "", self._recipients
        self._forget()
        if self._overlong:
            self._overlong = False
            self._say("552 5.3.4 The message is too big")
            return True
        self._task = asyncio.get_running_loop().create_task(self._kept(sender, recipients, unstuffed(raw)))
        return False

    async def _kept(self, sender: str, recipients: list[str], message: bytes) -> None:
        answer = await self._keep(sender, recipients, message)
        self._task = None
        if self._transport is None:
            return
        if not answer:
            self._transport.abort()
            return
        self._transport.resume_reading()
        self._say(answer)
        self._work()
        if self._ended and self._task is None:
            self._close()

    def _on_ehlo(self, name: str) -> str:
        self._forget()
        self._greeted = True
        lines = [f"{NAME} greets {name[:200]}", *OFFERED]
        return "\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"])

    def _on_helo(self, name: str) -> str:
        self._forget()
        self._greeted = True
        return f"250 {NAME}"

    def _on_mail(self, rest: str) -> str:
        path = _PATH.match(rest)
        if not self._greeted or self._sender is not None:
            return "503 5.5.1 Not now"
        if path is None:
            return "501 5.5.4 MAIL FROM:<address>"
        words = path[2].upper().split()
        size = next((word[5:] for word in words if word.startswith("SIZE=")), "")
        if size.isdigit() and int(size) > LARGEST:
            return "552 5.3.4 The message is too big"
        if not path[1].isascii() and "SMTPUTF8" not in words:
            return "553 5.6.7 An international address needs SMTPUTF8"
        self._sender, self._international = path[1], "SMTPUTF8" in words
        return "250 2.1.0 Ok"

    def _on_rcpt(self, rest: str) -> str:
        path = _PATH.match(rest)
        if self._sender is None:
            return "503 5.5.1 MAIL first"
        if path is None or "@" not in path[1]:
            return "501 5.1.3 RCPT TO:<address>"
        if len(self._recipients) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        if not path[1].isascii() and not self._international:
            return "553 5.6.7 An international address needs SMTPUTF8"
        refusal = self._judge(path[1])
        if not refusal:
            self._recipients.append(path[1])
        return refusal or "250 2.1.5 Ok"

    def _on_data(self, rest: str) -> str:
        if not self._recipients:
            return "503 5.5.1 No recipient was taken" if self._sender is None else "554 5.5.1 No recipient was taken"
        self._reading = True
        return "354 End with CRLF . CRLF"

    def _on_rset(self, rest: str) -> str:
        self._forget()
        return "250 2.0.0 Ok"

    def _on_noop(self, rest: str) -> str:
        return "250 2.0.0 Ok"

    def _on_vrfy(self, rest: str) -> str:
        return "252 2.5.1 Try it"

    def _on_quit(self, rest: str) -> str:
        return "221 2.0.0 Bye"

    def _forget(self) -> None:
        self._sender, self._international, self._recipients = None, False, []

    def _say(self, line: str) -> None:
        if self._transport is not None:
            self._transport.write(f"{line}\r\n".encode())

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        if self._patience is not None:
            if self._patience.when() - loop.time() > PATIENCE / 2:
                return
            self._patience.cancel()
        self._patience = loop.call_later(PATIENCE, self._tired)

    def _tired(self) -> None:
        self._patience = None
        self._say("421 4.4.2 Nothing was heard for a while")
        self._close()


def unstuffed(raw: bytes) -> bytes:
    """The message as it was before its leading dots were doubled (RFC 5321 §4.5.2)."""
    if raw.startswith(b"."):
        raw = raw[1:]
    return raw.replace(b"\r\n.", b"\r\n") if b"\r\n." in raw else raw
