"""The bytes: one TCP connection, in clear or inside TLS, that speaks in replies.

TLS runs over memory buffers of our own rather than asyncio's transport, for two reasons: what a server injected before
the handshake is provably thrown away (RFC 3207 §4.2, CVE-2011-0411), and what it said just before it cut the
connection can still be read.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from envoi.delivery.smtp.jobs import Handler
from envoi.delivery.smtp.loop import Hearing, hear
from envoi.delivery.smtp.outcomes import Fault, FaultKind
from envoi.delivery.smtp.phases import Phase
from envoi.delivery.smtp.replies import NoReply, Reply, ReplyParser
from envoi.delivery.smtp.tls import tls_fault

Listener = Callable[[str, str], None]  # ("C" client, "S" server or "*" a remark; one line of text)


# Linux: the kernel may wait for what follows before it sends a packet that is not full.
_MORE = getattr(socket, "MSG_MORE", 0)


class WireBroken(Exception):
    """The conversation ended, or never began; `fault` says how, `phase` how far it had come."""

    def __init__(self, fault: Fault, phase: Phase = Phase.CONNECT) -> None:
        super().__init__(str(fault))
        self.fault = fault
        self.phase = phase


class Wire(asyncio.Protocol):
    """See the module. `paused` is true while something written has not reached the kernel."""

    def __init__(self, listener: Listener | None = None) -> None:
        self.parser = ReplyParser()
        self.listener = listener
        self.paused = False
        self.fault: Fault | None = None
        self.handler: Handler | None = None
        self.closed = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None
        self._hearing: Hearing | None = None
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._tls: ssl.SSLObject | None = None
        self._handshaking = False
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()

    # asyncio calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        # 0: `paused` then means “not yet with the kernel”, which the final dot must wait for.
        self._transport.set_write_buffer_limits(high=0)
        # A second handle of the same socket, for what asyncio's has no words for; it goes without, too.
        with suppress(OSError):
            self._socket = transport.get_extra_info("socket").dup()
        self._hearing = hear(self._transport, self._socket, self.data_received, self._unreadable)

    def data_received(self, data: bytes) -> None:
        if self._tls is not None:
            self._incoming.write(data)
            if self._handshaking:
                self._wake()
                return
            data = self._decrypted(self._tls)
        if data:
            self._read(data)

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        if self.handler is not None:
            self.handler.on_drained()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None and self.fault is None:
            self._rescue()
        fault = self._break(_broke_off(exc or "closed by the server"))
        if self._hearing is not None:
            self._hearing.end()
        if self._socket is not None:
            self._socket.close()
        if not self.closed.done():
            self.closed.set_result(None)
        # They hold this wire in turn: let go, all three are freed at once, without a search for cycles.
        handler, self.handler, self._hearing = self.handler, None, None
        if handler is not None:
            handler.on_lost(fault)

    # For the owner of the wire.

    @property
    def closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    @property
    def unsent(self) -> int:
        """Bytes that still wait for the kernel."""
        return self._transport.get_write_buffer_size() if self._transport else 0

    @property
    def loopback(self) -> bool:
        """Whether the other end is this machine."""
        peer = self._transport.get_extra_info("peername") if self._transport else None
        return peer is not None and (peer[0].startswith("127.") or peer[0] in {"::1", "::ffff:127.0.0.1"})

    @property
    def encrypted(self) -> bool:
        return self._tls is not None and not self._handshaking

    @property
    def own_address(self) -> str:
        """This end as an address literal, for EHLO without a name (RFC 5321 §4.1.3)."""
        name = self._transport.get_extra_info("sockname") if self._transport else None
        host = name[0] if name else "127.0.0.1"
        return f"[IPv6:{host}]" if ":" in host else f"[{host}]"

    def write(self, data: bytes, shown: str | None = None) -> None:
        """Send `data`; the listener gets `shown` instead when given."""
        if self.listener is not None:
            self._show("C", data.decode("utf-8", "replace") if shown is None else shown)
        if self._tls is not None:
            data = self._encrypted(self._tls, data)
        self._send(data, 0)

    def write_body(self, data: bytes) -> None:
        """Send `data`, which the caller follows up at once with another write: both may share a packet."""
        if self.listener is not None:
            self._show("C", f"({len(data)} bytes of message)")
        if self._tls is not None:
            data = self._encrypted(self._tls, data)
        self._send(data, _MORE)

    def remark(self, text: str) -> None:
        if self.listener is not None:
            self.listener("*", text)

    def close(self) -> None:
        """Send what is written, then close."""
        if self._transport is not None:
            self._transport.close()

    def abort(self, fault: Fault) -> None:
        """Break off at once, for the reason given."""
        self._break(fault)
        if self._transport is not None:
            self._transport.abort()

    async def reply(self) -> Reply:
        """The next answer.

        Raises:
            WireBroken: none came before the connection ended.
        """
        while not self._replies:
            if self.fault is not None:
                raise WireBroken(self.fault)
            await self._data()
        return self._replies.popleft()

    def unread(self) -> Reply | None:
        """What the server said beyond what it was asked before the handshake was over."""
        return self._replies[0] if self._replies else None

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Encrypt from here on; whatever the server sent before is forgotten.

        Raises:
            WireBroken: the handshake failed or the certificate is not good for `host`.
        """
        self.parser = ReplyParser()
        self._replies.clear()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._handshaking = True
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                if self.fault is not None:
                    raise WireBroken(self.fault) from None
                await self._data()
            except ssl.SSLError as error:
                self._flush()
                fault = tls_fault(error, host)
                self.abort(fault)
                raise WireBroken(fault) from error
        self._handshaking = False
        self._flush()
        self.remark(f"{self._tls.version()}, certificate verified for {host}")
        self.data_received(b"")

    def _send(self, data: bytes, flags: int) -> None:
        if not data or self._transport is None:
            return
        if self._socket is not None and not self.paused and not self._transport.is_closing():
            try:
                sent = self._socket.send(data, flags)
            except OSError:
                # Not now, or never again: the transport meets the same and does what is to be done.
                sent = 0
            if sent == len(data):
                return
            data = data[sent:]
        self._transport.write(data)

    def _flush(self) -> None:
        self._send(self._outgoing.read(), 0)

    def _show(self, who: str, text: str) -> None:
        if self.listener is not None:
            for line in text.splitlines():
                self.listener(who, line)

    async def _data(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _unreadable(self, error: Exception) -> None:
        self.abort(_broke_off(error))

    def _break(self, fault: Fault) -> Fault:
        self.fault = self.fault or fault
        self._wake()
        return self.fault

    def _read(self, data: bytes) -> None:
        try:
            replies = self.parser.feed(data)
        except NoReply as error:
            self.abort(Fault(FaultKind.GARBAGE, str(error)))
            return
        if self.listener is not None:
            for reply in replies:
                self._show("S", reply.raw.decode("utf-8", "replace"))
        if self.handler is not None:
            self.handler.on_replies(replies)
        else:
            self._replies.extend(replies)
            self._wake()

    def _encrypted(self, tls: ssl.SSLObject, data: bytes) -> bytes:
        try:
            done = 0
            while done < len(data):
                done += tls.write(data[done:] if done else data)
        except ssl.SSLError as error:
            self.abort(Fault(FaultKind.TLS, f"TLS: {error.reason or error}"))
            return b""
        return self._outgoing.read()

    def _decrypted(self, tls: ssl.SSLObject) -> bytes:
        parts = []
        try:
            while part := tls.read(65536):
                parts.append(part)
            # The end of all it has to say; it need not end the connection below as well (RFC 8446 §6.1).
            self.close()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            if parts:
                self._read(b"".join(parts))
            self.abort(Fault(FaultKind.TLS, f"TLS: {error.reason or error}"))
            return b""
        self._flush()
        return b"".join(parts)

    def _rescue(self) -> None:
        """Read what lies in the socket after a failed write: often the very refusal that explains it."""
        with suppress(OSError):
            while self._socket is not None and (data := self._socket.recv(65536)):
                self.data_received(data)


def _broke_off(why: object) -> Fault:
    return Fault(FaultKind.DROPPED, f"the connection broke off: {why}")
