"""A mail server that writes down what it accepts, on disk, before it answers, and then misbehaves as it is told.

It stands outside Envoi: standard library only, a process of its own (`python witness.py --ledger FILE …`), so that what
it says about lost and doubled messages is not our own word. One line per accepted message: time, recipient, Message-ID
and SHA-256 of the bytes, parted by tabs. The plan is a JSON list, read once:

    [{"at": "dot", "do": "drop", "for": "ada@", "after": 3, "times": 2}, …]

`at` is connect, ehlo, auth, mail, rcpt, data, body, message (all of it has come, nothing is written down), dot
(accepted and written down, the answer to come), answered (after it) or quit. `do` is a reply ("451 4.7.1 Later"),
"drop", "hang", "wait 0.2" (then goes on), or "greylist 300" (at rcpt: an envelope, which is sender and recipient, is
refused until it has been known for 300 seconds). `for` narrows to recipients that begin so, `after` skips as many
occasions, `times` ends after as many.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

LONGEST_LINE = 64 * 1024 * 1024


class Gone(Exception):
    """The conversation is over."""


@dataclass
class Rule:
    """One line of the plan; `after` and `times` count down."""

    at: str
    do: str
    who: str = ""
    after: int = 0
    times: int = -1

    def applies(self, at: str, who: str) -> bool:
        if self.at != at or self.times == 0 or not who.startswith(self.who):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1
        return True


class Ledger:
    """Lines that are on the disk before the waiting message is answered; many share one wait for the disk."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lines: list[str] = []
        self._turn = asyncio.Lock()

    async def write(self, line: str) -> None:
        self._lines.append(line)
        async with self._turn:
            if self._lines:
                lines, self._lines = self._lines, []
                await asyncio.to_thread(self._store, "".join(lines).encode())

    def _store(self, data: bytes) -> None:
        os.write(self._file, data)
        os.fdatasync(self._file)


class Witness:
    """The server."""

    def __init__(self, ledger: Path, plan: list[Rule], patience: float, pipelining: bool) -> None:
        self.ledger = Ledger(ledger)
        self.plan = plan
        self.patience = patience
        self.envelopes: dict[tuple[str, str], float] = {}
        signing_in = any(rule.at == "auth" for rule in plan)
        self.features = [
            "witness",
            "8BITMIME",
            "SMTPUTF8",
            *(["PIPELINING"] if pipelining else []),
            *(["AUTH PLAIN"] if signing_in else []),
        ]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Conversation(self, reader, writer).run()
        except (Gone, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()


class Conversation:
    """One connection."""

    def __init__(self, server: Witness, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self.who = self.sender = ""
        self.refused = False

    async def run(self) -> None:
        if not await self.misbehaves("connect"):
            self.say("220 witness ready")
        while True:
            line = (await self.reader.readuntil(b"\n")).decode("utf-8", "replace").strip()
            await self.obey(line.partition(" ")[0].lower(), line)
            await self.writer.drain()

    async def obey(self, word: str, line: str) -> None:
        found = re.search(r"<(.*?)>", line)
        if word == "rcpt":
            self.who = found[1] if found else ""
        elif word == "mail":
            self.sender = found[1] if found else ""
        at = "ehlo" if word == "helo" else word
        if word == "rcpt" and self.refused:
            self.who = ""
            self.say("503 5.5.1 No sender")
            return
        refused = await self.misbehaves(at)
        if at == "mail":
            self.refused = refused
        if refused:
            self.who = ""
            return
        match word:
            case "ehlo":
                rows = self.server.features
                self.say("\r\n".join(f"250{' ' if row is rows[-1] else '-'}{row}" for row in rows))
            case "data" if not self.who:
                self.say("503 5.5.1 No valid recipients")
            case "data":
                await self.take()
            case "auth":
                self.say("235 2.7.0 Welcome")
            case "quit":
                self.say("221 2.0.0 Bye")
                await self.writer.drain()
                raise Gone
            case _:
                self.who = "" if word == "rset" else self.who
                self.say("250 2.0.0 Ok")

    async def take(self) -> None:
        self.say("354 Go on")
        await self.writer.drain()
        if any(rule.at == "body" for rule in self.server.plan):
            await self.reader.read(1)
            await self.misbehaves("body")
        message = await self.reader.readuntil(b"\r\n.\r\n")
        if self.server.patience:
            await asyncio.sleep(self.server.patience / 2)
        if await self.misbehaves("message"):
            return
        found = re.search(rb"(?im)^message-id:\s*(\S+)", message)
        name = found[1].decode() if found else ""
        await self.server.ledger.write(
            f"{time.time():.6f}\t{self.who}\t{name}\t{hashlib.sha256(message).hexdigest()}\n"
        )
        if self.server.patience:
            await asyncio.sleep(self.server.patience / 2)
        await self.misbehaves("dot")
        self.say("250 2.0.0 Taken")
        await self.writer.drain()
        await self.misbehaves("answered")
        self.who = ""

    async def misbehaves(self, at: str) -> bool:
        """Do what the plan says; whether that was the answer."""
        for rule in self.server.plan:
            if not rule.applies(at, self.who):
                continue
            if rule.do == "drop":
                raise Gone
            if rule.do == "hang":
                self.stop_reading()
                print("hangs", flush=True)
                await asyncio.sleep(3600)
            elif rule.do.startswith("wait "):
                await asyncio.sleep(float(rule.do[5:]))
                return False
            elif rule.do.startswith("greylist "):
                return self.greylisted(float(rule.do[9:]))
            else:
                self.say(rule.do)
                if rule.do.startswith("421"):
                    await self.writer.drain()
                    raise Gone
                return True
        return False

    def greylisted(self, seconds: float) -> bool:
        """Whether this envelope is too new."""
        now = time.monotonic()
        first = self.server.envelopes.setdefault((self.sender, self.who), now)
        if first == now or now - first < seconds:
            self.say("451 4.7.1 Greylisted, come back")
            return True
        return False

    def stop_reading(self) -> None:
        """Let the client's bytes pile up on its side."""
        transport = self.writer.transport
        if isinstance(transport, asyncio.Transport):
            transport.pause_reading()

    def say(self, text: str) -> None:
        self.writer.write(text.encode() + b"\r\n")


async def serve(args: argparse.Namespace) -> None:
    plan = [Rule(who=rule.pop("for", ""), **rule) for rule in json.loads(args.plan)]
    witness = Witness(args.ledger, plan, args.patience, not args.no_pipelining)
    server = await asyncio.start_server(witness.serve, args.host, args.port, limit=LONGEST_LINE)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> int:
    parser = argparse.ArgumentParser(description="Accept mail and keep a ledger; prints its port.")
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: loopback)")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--plan", default="[]")
    parser.add_argument("--patience", type=float, default=0.0, help="seconds for each message")
    parser.add_argument("--no-pipelining", action="store_true")
    asyncio.run(serve(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
