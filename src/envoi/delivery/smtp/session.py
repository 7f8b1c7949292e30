"""From a host name to a connection that is ready for messages: connect, greeting, EHLO, TLS, sign in.

Guarantees: encryption that was asked for is never given up; a password goes out only inside verified TLS, or to this
machine.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from dataclasses import dataclass, field
from enum import StrEnum

from envoi.delivery.smtp.envelopes import Features, features
from envoi.delivery.smtp.outcomes import Fault, FaultKind, NotSent, Remedy, SenderRefused
from envoi.delivery.smtp.phases import Phase, Timeouts
from envoi.delivery.smtp.replies import Reply
from envoi.delivery.smtp.signing_in import chosen, sign_in
from envoi.delivery.smtp.tls import system_context
from envoi.delivery.smtp.verdicts import judge
from envoi.delivery.smtp.wire import Listener, Wire, WireBroken


class Security(StrEnum):
    """How the connection is encrypted."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """How to reach a server.

    Attributes:
        security: nothing weaker than this is ever used.
        username: "" signs in nowhere.
        password: the password, or with `oauth` an access token.
        ehlo_name: how we introduce ourselves; "" is our address as the server sees it, as a literal.
        tls_context: instead of the system's certificate authorities (tests, private authorities).
    """

    host: str
    port: int
    security: Security = Security.STARTTLS
    username: str = ""
    password: str = field(default="", repr=False)
    oauth: bool = False
    ehlo_name: str = ""
    timeouts: Timeouts = field(default_factory=Timeouts)
    tls_context: ssl.SSLContext | None = field(default=None, repr=False)


class SessionFailed(Exception):
    """No session came about; `outcome` is that of every message that waited for it."""

    def __init__(self, outcome: NotSent | SenderRefused) -> None:
        super().__init__(str(outcome))
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Session:
    """A connection that is ready for MAIL."""

    wire: Wire
    features: Features


async def open_session(settings: SmtpSettings, listener: Listener | None = None) -> Session:
    """Connect and shake hands.

    Raises:
        SessionFailed: with what stood in the way.
    """
    opening = _Opening(settings, listener)
    try:
        return await opening.run()
    except WireBroken as error:
        opening.drop(error.fault)
        raise SessionFailed(NotSent(error.fault, opening.phase)) from error
    except TimeoutError as error:
        fault = Fault(FaultKind.TIMEOUT, f"{settings.host}:{settings.port} did not answer in time")
        opening.drop(fault)
        raise SessionFailed(NotSent(fault, opening.phase)) from error
    except _Refusal as error:
        opening.drop(Fault(FaultKind.CLOSED, "given up after a refusal"))
        found = judge(error.reply, opening.phase)
        outcome = (
            found if isinstance(found, SenderRefused) else SenderRefused(error.reply, opening.phase, Remedy.PERSON)
        )
        raise SessionFailed(outcome) from error
    except BaseException:
        opening.drop(Fault(FaultKind.CLOSED, "given up while connecting"))
        raise


class _Refusal(Exception):
    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


class _Opening:
    """One handshake; `phase` says how far it has come."""

    def __init__(self, settings: SmtpSettings, listener: Listener | None) -> None:
        self.settings = settings
        self.listener = listener
        self.phase = Phase.CONNECT
        self.wire: Wire | None = None

    async def run(self) -> Session:
        wire = self.wire = await self._connect()
        if self.settings.security is Security.TLS:
            await self._tls(wire)
        self.phase = Phase.CONNECT
        async with asyncio.timeout(self.settings.timeouts.greeting):
            greeting = await wire.reply()
        if not greeting.positive:
            raise _Refusal(greeting)
        offered = await self._ehlo(wire)
        if self.settings.security is Security.STARTTLS:
            offered = await self._starttls(wire, offered)
        if self.settings.username:
            await self._auth(wire, offered)
        said = wire.unread()
        if said is not None and not said.positive:
            raise _Refusal(said)
        return Session(wire, offered)

    def drop(self, fault: Fault) -> None:
        if self.wire is not None:
            self.wire.abort(fault)

    async def _connect(self) -> Wire:
        host, port = self.settings.host, self.settings.port
        if self.listener is not None:
            self.listener("*", f"connect {host}:{port}")
        try:
            async with asyncio.timeout(self.settings.timeouts.connect):
                _, wire = await asyncio.get_running_loop().create_connection(
                    lambda: Wire(self.listener), host, port, happy_eyeballs_delay=0.25
                )
        except (socket.gaierror, UnicodeError) as error:
            raise WireBroken(_name_fault(error, host)) from error
        except TimeoutError:
            raise
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise WireBroken(Fault(FaultKind.UNREACHABLE, f"{host}:{port} cannot be reached: {reason}")) from error
        return wire

    async def _tls(self, wire: Wire) -> None:
        self.phase = Phase.TLS
        context = self.settings.tls_context or system_context()
        async with asyncio.timeout(self.settings.timeouts.connect):
            await wire.start_tls(context, self.settings.host)

    async def _ask(self, line: bytes, shown: str | None = None) -> Reply:
        assert self.wire is not None  # noqa: S101 - asked only after _connect
        self.wire.write(line + b"\r\n", shown)
        async with asyncio.timeout(self.settings.timeouts.command):
            return await self.wire.reply()

    async def _ehlo(self, wire: Wire) -> Features:
        self.phase = Phase.EHLO
        name = (self.settings.ehlo_name or wire.own_address).encode("ascii", "replace")
        reply = await self._ask(b"EHLO " + name)
        if reply.code in {500, 501, 502, 504}:
            reply = await self._ask(b"HELO " + name)
            if reply.positive:
                return Features()
        if not reply.positive:
            raise _Refusal(reply)
        return features(reply)

    async def _starttls(self, wire: Wire, offered: Features) -> Features:
        self.phase = Phase.TLS
        if not offered.starttls:
            raise WireBroken(Fault(FaultKind.NO_STARTTLS, f"{self.settings.host} does not offer STARTTLS"))
        reply = await self._ask(b"STARTTLS")
        if not reply.positive:
            raise _Refusal(reply)
        await self._tls(wire)
        # What was offered in clear may have been altered on the way: ask again (RFC 3207 §4.2).
        return await self._ehlo(wire)

    async def _auth(self, wire: Wire, offered: Features) -> None:
        self.phase = Phase.AUTH
        if not (wire.encrypted or wire.loopback):
            text = "a password is only sent over an encrypted connection; choose STARTTLS or TLS"
            raise WireBroken(Fault(FaultKind.NO_MECHANISM, text))
        mechanism = chosen(offered.auth, self.settings.oauth)
        if not mechanism:
            known = ", ".join(sorted(offered.auth)) or "none"
            raise WireBroken(Fault(FaultKind.NO_MECHANISM, f"no common way to sign in; the server offers: {known}"))
        reply = await sign_in(mechanism, self.settings.username, self.settings.password, self._ask)
        if not reply.positive:
            raise _Refusal(reply)


def _name_fault(error: socket.gaierror | UnicodeError, host: str) -> Fault:
    """“There is none” and “nobody says” (RFC 1035 §4.1.1: name error, server failure) ask for different remedies."""
    if isinstance(error, UnicodeError) or error.errno in (socket.EAI_NONAME, socket.EAI_NODATA):
        return Fault(FaultKind.UNKNOWN_NAME, f"the name {host} is not known")
    return Fault(FaultKind.NO_LOOKUP, f"the name {host} could not be looked up: {error.strerror}")
