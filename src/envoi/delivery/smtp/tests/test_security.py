"""Encryption that was asked for is never given up, and a password goes nowhere in clear."""

from __future__ import annotations

import asyncio
import hmac
from base64 import b64decode, b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from envoi.delivery.smtp import (
    Accepted,
    FaultKind,
    NotSent,
    Outcome,
    Phase,
    Pool,
    Security,
    SenderRefused,
    SmtpSettings,
    Unknown,
)
from envoi.delivery.smtp.tests.scripted import PATIENT, QUICK, Certified, Peer, Script, Scripted, ada, certified
from envoi.delivery.smtp.wire import Wire


@pytest.fixture(scope="module")
def localhost(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return certified(tmp_path_factory.mktemp("good"), "localhost", "127.0.0.1")


def upgrade(certificate: Certified, after: Script, before: bytes = b"") -> Script:
    """Offer STARTTLS; `before` is what an attacker puts behind the answer in clear."""

    async def script(peer: Peer) -> None:
        await peer.hello("STARTTLS", "AUTH PLAIN")
        await peer.expect("STARTTLS")
        await peer.raw(b"220 go\r\n" + before)
        await peer.writer.start_tls(certificate.server)
        await after(peer)

    return script


async def encrypted_mail(peer: Peer) -> None:
    await peer.ehlo("PIPELINING")
    await peer.take()


def talk(script: Script, certificate: Certified, security: Security, **more: object) -> tuple[Outcome, Scripted]:
    async def run() -> tuple[Outcome, Scripted]:
        implicit = certificate.server if security is Security.TLS else None
        async with Scripted([script], tls=implicit) as server:
            settings = server.settings(security, tls_context=certificate.client)
            async with Pool(replace(settings, **more), max_connections=1) as pool:  # type: ignore[arg-type]
                return await pool.send(ada()), server

    return asyncio.run(run())


def test_mail_goes_through_after_starttls(localhost: Certified) -> None:
    outcome, server = talk(upgrade(localhost, encrypted_mail), localhost, Security.STARTTLS)

    assert isinstance(outcome, Accepted)
    assert [line.split(" ")[0] for line in server.seen[:3]] == ["EHLO", "STARTTLS", "EHLO"]


def test_mail_goes_through_with_tls_from_the_start(localhost: Certified) -> None:
    async def script(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        await peer.take()

    assert isinstance(talk(script, localhost, Security.TLS)[0], Accepted)


def test_a_big_message_goes_through_tls(localhost: Certified) -> None:
    got: list[int] = []

    async def script(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        for _ in range(3):
            await peer.line()
        await peer.say("250 ok\n250 ok\n354 go")
        length, tail = 0, b""
        while not tail.endswith(b"\r\n.\r\n"):
            part = await peer.reader.read(65536)
            length += len(part)
            tail = (tail + part)[-5:]
        got.append(length - 3)
        await peer.say("250 ok")

    async def run() -> Outcome:
        async with Scripted([script], tls=localhost.server) as server:
            settings = server.settings(Security.TLS, tls_context=localhost.client)
            async with Pool(settings) as pool:
                return await pool.send(ada((b"x" * 998 + b"\r\n") * 10_000))

    assert isinstance(asyncio.run(run()), Accepted)
    assert got == [10_000_000]


def test_a_server_that_ends_the_encryption_but_not_the_connection_is_not_waited_for(localhost: Certified) -> None:
    async def script(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        for _ in range(3):
            await peer.line()
        await peer.say("250 ok\n250 ok\n354 go")
        await peer.body()
        # asyncio's end of an encrypted connection waits for ours before it closes the one below.
        peer.writer.close()

    outcome, _ = talk(script, localhost, Security.TLS, timeouts=PATIENT)

    assert isinstance(outcome, Unknown)
    assert outcome.error.kind is FaultKind.DROPPED


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
@pytest.mark.fault("F27")
def test_a_handshake_that_hangs_is_given_up(localhost: Certified, security: Security) -> None:
    async def script(peer: Peer) -> None:
        if security is Security.STARTTLS:
            await peer.hello("STARTTLS")
            await peer.expect("STARTTLS")
            await peer.say("220 go")
        await peer.reader.read()

    async def run() -> Outcome:
        async with Scripted([script]) as server:
            settings = replace(server.settings(security), timeouts=replace(QUICK, connect=0.2))
            async with Pool(settings) as pool:
                return await pool.send(ada())

    outcome = asyncio.run(run())

    assert isinstance(outcome, NotSent)
    assert (outcome.error.kind, outcome.phase) == (FaultKind.TIMEOUT, Phase.TLS)


@pytest.mark.fault("F27")
def test_without_starttls_nothing_is_sent(localhost: Certified) -> None:
    async def script(peer: Peer) -> None:
        await peer.hello("PIPELINING", "AUTH PLAIN")
        assert await peer.reader.read() == b""

    outcome, server = talk(script, localhost, Security.STARTTLS, username="ada", password="secret")

    assert isinstance(outcome, NotSent)
    assert (outcome.error.kind, outcome.phase) == (FaultKind.NO_STARTTLS, Phase.TLS)
    assert [line.split(" ")[0] for line in server.seen] == ["EHLO"]


@pytest.mark.fault("F27")
def test_a_refused_starttls_is_not_gone_round(localhost: Certified) -> None:
    async def script(peer: Peer) -> None:
        await peer.hello("STARTTLS")
        await peer.expect("STARTTLS")
        await peer.say("454 4.7.0 not now")
        assert await peer.reader.read() == b""

    outcome, _ = talk(script, localhost, Security.STARTTLS)

    assert isinstance(outcome, SenderRefused)
    assert (outcome.reply.code, outcome.phase) == (454, Phase.TLS)


@pytest.mark.fault("F27")
def test_what_was_injected_before_the_handshake_is_forgotten(localhost: Certified) -> None:
    async def after(peer: Peer) -> None:
        await peer.ehlo()
        await peer.expect("MAIL")
        await peer.say("550 5.7.1 the true server refuses")

    injected = b"250-evil\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n354 go\r\n250 accepted by nobody\r\n"
    outcome, _ = talk(upgrade(localhost, after, injected), localhost, Security.STARTTLS)

    # Over loopback the injected bytes mostly arrive with the 220 and are thrown away; if they come later they are no
    # TLS record and end the handshake. Never are they taken for an answer.
    assert isinstance(outcome, SenderRefused | NotSent)
    if isinstance(outcome, SenderRefused):
        assert outcome.reply.text == "the true server refuses"


@pytest.mark.fault("F27")
def test_replies_before_the_handshake_are_thrown_away(localhost: Certified) -> None:
    async def run() -> bool:
        wire = Wire()
        wire.data_received(b"220 go\r\n250 injected\r\n250-half")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(wire.start_tls(localhost.client, "localhost"), 0.05)
        return wire.parser.empty and not wire._replies

    assert asyncio.run(run())


@pytest.mark.parametrize(
    ("names", "days", "kind"),
    [
        (("mail.example.org",), 1, FaultKind.TLS_NAME),
        (("127.0.0.1",), -1, FaultKind.TLS_UNTRUSTED),
    ],
    ids=["another name", "expired"],
)
@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
@pytest.mark.fault("F27")
def test_a_certificate_that_is_not_good_ends_the_attempt(
    tmp_path: Path, names: tuple[str, ...], days: int, kind: FaultKind, security: Security
) -> None:
    bad = certified(tmp_path, *names, days=days)
    script = upgrade(bad, encrypted_mail) if security is Security.STARTTLS else encrypted_mail

    outcome, server = talk(script, bad, security, username="ada", password="secret")

    assert isinstance(outcome, NotSent)
    assert (outcome.error.kind, outcome.phase) == (kind, Phase.TLS)
    assert not any("AUTH" in line or "MAIL" in line for line in server.seen)


def test_a_certificate_of_an_unknown_authority_ends_the_attempt(localhost: Certified, tmp_path: Path) -> None:
    stranger = certified(tmp_path, "127.0.0.1")

    outcome, _ = talk(encrypted_mail, Certified(stranger.server, localhost.client), Security.TLS)

    assert isinstance(outcome, NotSent)
    assert outcome.error.kind is FaultKind.TLS_UNTRUSTED


def test_a_server_that_speaks_no_tls_is_told_apart(localhost: Certified) -> None:
    async def script(peer: Peer) -> None:
        await peer.say("220 plain")
        await peer.reader.read()

    async def run() -> Outcome:
        async with (
            Scripted([script]) as server,
            Pool(server.settings(Security.TLS, tls_context=localhost.client)) as pool,
        ):
            return await pool.send(ada())

    outcome = asyncio.run(run())

    assert isinstance(outcome, NotSent)
    assert (outcome.error.kind, outcome.phase) == (FaultKind.TLS, Phase.TLS)


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


async def plain(peer: Peer) -> None:
    await peer.hello("AUTH LOGIN PLAIN")
    assert b64decode((await peer.expect("AUTH PLAIN ")).split(" ")[2]) == "\0ada\0pässword".encode()
    await peer.say("235 2.7.0 welcome")
    await peer.take()


async def login(peer: Peer) -> None:
    await peer.hello("AUTH=LOGIN")
    await peer.expect("AUTH LOGIN")
    await peer.say(f"334 {encoded('Username:')}")
    assert await peer.line() == encoded("ada")
    await peer.say(f"334 {encoded('Password:')}")
    assert await peer.line() == encoded("pässword")
    await peer.say("235 welcome")
    await peer.take()


async def cram(peer: Peer) -> None:
    await peer.hello("AUTH CRAM-MD5")
    await peer.expect("AUTH CRAM-MD5")
    await peer.say(f"334 {encoded('<1896.697170952@mx.test>')}")
    digest = hmac.new("pässword".encode(), b"<1896.697170952@mx.test>", "md5").hexdigest()
    assert b64decode(await peer.line()).decode() == f"ada {digest}"
    await peer.say("235 welcome")
    await peer.take()


@pytest.mark.parametrize("script", [plain, login, cram])
def test_every_way_to_sign_in_works_with_this_machine(script: Script, localhost: Certified) -> None:
    outcome, _ = talk(script, localhost, Security.NONE, username="ada", password="pässword")

    assert isinstance(outcome, Accepted)


def test_a_token_signs_in_by_xoauth2_and_its_refusal_is_read(localhost: Certified) -> None:
    async def script(peer: Peer) -> None:
        await peer.hello("AUTH PLAIN XOAUTH2")
        sent = b64decode((await peer.expect("AUTH XOAUTH2 ")).split(" ")[2]).decode()
        assert sent == "user=ada\1auth=Bearer token\1\1"
        await peer.say(f"334 {encoded('{}')}")
        assert await peer.line() == ""
        await peer.say("535 5.7.8 the token has expired")

    outcome, _ = talk(script, localhost, Security.NONE, username="ada", password="token", oauth=True)

    assert isinstance(outcome, SenderRefused)
    assert (str(outcome.reply), outcome.phase) == ("535 5.7.8 the token has expired", Phase.AUTH)


def test_a_refused_password_is_refused_for_everybody_who_waits(localhost: Certified) -> None:
    async def script(peer: Peer) -> None:
        await peer.hello("AUTH PLAIN")
        await peer.expect("AUTH PLAIN")
        await peer.say("535 5.7.8 wrong")

    async def run() -> tuple[list[Outcome], Scripted]:
        async with Scripted([script]) as server:
            settings = server.settings(username="ada", password="wrong")
            async with Pool(settings, max_connections=1) as pool:
                return await asyncio.gather(*(pool.send(ada()) for _ in range(5))), server

    outcomes, server = asyncio.run(run())

    assert [(type(one), getattr(one, "phase", None)) for one in outcomes] == [(SenderRefused, Phase.AUTH)] * 5
    assert server.connections == 1


def test_a_password_is_not_sent_in_clear_to_another_machine(
    localhost: Certified, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(peer: Peer) -> None:
        await peer.hello("AUTH PLAIN")
        assert await peer.reader.read() == b""

    monkeypatch.setattr(Wire, "loopback", False)
    outcome, server = talk(script, localhost, Security.NONE, username="ada", password="secret")

    assert isinstance(outcome, NotSent)
    assert (outcome.error.kind, outcome.phase) == (FaultKind.NO_MECHANISM, Phase.AUTH)
    assert len(server.seen) == 1


def test_the_password_stands_in_no_dialogue_and_no_representation(localhost: Certified) -> None:
    lines: list[str] = []

    async def run() -> SmtpSettings:
        async with Scripted([login]) as server:
            settings = server.settings(username="ada", password="pässword")
            async with Pool(settings, listener=lambda who, line: lines.append(line)) as pool:
                await pool.send(ada())
            return settings

    settings = asyncio.run(run())

    assert "pässword" not in repr(settings)
    assert not any("pässword" in line or encoded("pässword") in line for line in lines)
    assert lines.count("••••••") == 2
