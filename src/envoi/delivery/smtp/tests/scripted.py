"""A mail server that does what a test tells it, byte by byte if need be, and writes down what it saw."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from envoi.delivery.smtp import Envelope, Pool, Security, SmtpSettings, Timeouts

MESSAGE = b"From: envoi@example.org\r\nTo: ada@example.net\r\nSubject: Hello\r\n\r\nDear Ada,\r\n.dots lead\r\n"

# So long as no busy machine needs; for all but tests of silence.
PATIENT = Timeouts(connect=30, greeting=30, command=30, data=30, body=30, dot=30, quit=0.5, idle=5)
# Short, so that a test of silence is quick.
QUICK = Timeouts(connect=2, greeting=0.8, command=0.8, data=0.8, body=0.8, dot=0.8, quit=0.5, idle=5)


def ada(data: bytes = MESSAGE, to: str = "ada@example.net") -> Envelope:
    return Envelope("bounce@example.org", to, data)


class Hangup(Exception):
    """The script ends the connection."""


@dataclass
class Peer:
    """One connection, as the server's script sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    seen: list[str]

    async def say(self, text: str) -> None:
        """Lines separated by LF."""
        self.writer.write(text.replace("\n", "\r\n").encode("latin-1") + b"\r\n")
        await self.writer.drain()

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def line(self) -> str:
        data = await self.reader.readline()
        if not data:
            raise Hangup
        text = data.decode().rstrip("\r\n")
        self.seen.append(text)
        return text

    async def expect(self, word: str) -> str:
        text = await self.line()
        assert text.upper().startswith(word), f"expected {word}, got {text}"
        return text

    async def body(self) -> bytes:
        """Read to the final dot; the message as it stood on the wire, without the dot."""
        data = await self.reader.readuntil(b"\r\n.\r\n")
        self.seen.append("<message>")
        return data[:-3]

    async def hello(self, *features: str) -> None:
        """Greeting and EHLO."""
        await self.say("220 mx.test ready")
        await self.ehlo(*features)

    async def ehlo(self, *features: str) -> None:
        await self.expect("EHLO")
        lines = ["mx.test", *features]
        await self.say("\n".join(f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines))

    async def take(self, answer: str = "250 2.0.0 queued") -> bytes:
        """A whole message without a hitch."""
        await self.expect("MAIL")
        await self.say("250 2.1.0 ok")
        await self.expect("RCPT")
        await self.say("250 2.1.5 ok")
        await self.expect("DATA")
        await self.say("354 go on")
        data = await self.body()
        await self.say(answer)
        return data


Script = Callable[[Peer], Awaitable[None]]


@dataclass
class Scripted:
    """`async with Scripted(script) as server:` each connection runs the next script, the last one again and again."""

    scripts: list[Script]
    tls: ssl.SSLContext | None = None
    connections: int = 0
    seen: list[str] = field(default_factory=list)
    port: int = 0
    failures: list[BaseException] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()
        if kind is None and self.failures:
            raise self.failures[0]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self.scripts[min(self.connections, len(self.scripts) - 1)]
        self.connections += 1
        try:
            await script(Peer(reader, writer, self.seen))
        except (Hangup, ConnectionError, asyncio.IncompleteReadError):
            pass
        except AssertionError as error:
            self.failures.append(error)
        finally:
            writer.close()

    def settings(
        self, security: Security = Security.NONE, *, timeouts: Timeouts = PATIENT, **more: object
    ) -> SmtpSettings:
        return SmtpSettings("127.0.0.1", self.port, security, timeouts=timeouts, **more)  # type: ignore[arg-type]

    def pool(self, *, timeouts: Timeouts = PATIENT, **more: object) -> Pool:
        return Pool(self.settings(timeouts=timeouts), max_connections=1, **more)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Certified:
    """A server's TLS context and the client's that trusts its issuer."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def certified(folder: Path, *names: str, days: int = 1) -> Certified:
    """A certificate for `names` (host names or IP addresses); negative `days`: it has expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's own authority")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(public, private)
    client = ssl.create_default_context(cafile=str(public))
    return Certified(server, client)


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
