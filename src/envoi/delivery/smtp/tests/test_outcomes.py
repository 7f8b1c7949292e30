"""What the client says became of a message, for every way in which a server may behave or break."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from envoi.delivery.smtp import (
    Accepted,
    Envelope,
    FaultKind,
    Hooks,
    NotSent,
    Outcome,
    Phase,
    Refused,
    Remedy,
    Reply,
    SenderRefused,
    Timeouts,
    Unknown,
)
from envoi.delivery.smtp.tests.scripted import MESSAGE, PATIENT, Peer, Script, Scripted, ada

PIPED = ("PIPELINING", "8BITMIME")


def outcome_of(*scripts: Script, envelope: Envelope | None = None, timeouts: Timeouts = PATIENT) -> Outcome:
    async def run() -> Outcome:
        async with Scripted(list(scripts)) as server, server.pool(timeouts=timeouts) as pool:
            return await pool.send(envelope or ada())

    return asyncio.run(run())


@pytest.mark.parametrize("features", [(), PIPED], ids=["step by step", "pipelined"])
def test_a_message_arrives_as_it_was_given(features: tuple[str, ...]) -> None:
    got: list[bytes] = []

    async def script(peer: Peer) -> None:
        await peer.hello(*features)
        got.append(await peer.take())

    outcome = outcome_of(script)

    assert isinstance(outcome, Accepted)
    assert (outcome.reply.code, outcome.reply.status, outcome.reply.text) == (250, "2.0.0", "queued")
    assert got == [MESSAGE.replace(b"\r\n.", b"\r\n..")]


def test_three_commands_go_out_before_the_first_is_answered_when_the_server_reads_ahead() -> None:
    async def script(peer: Peer) -> None:
        await peer.hello(*PIPED)
        assert [(await peer.line()).split(" ")[0] for _ in range(3)] == ["MAIL", "RCPT", "DATA"]
        await peer.say("250 ok\n250 ok\n354 go")
        await peer.body()
        await peer.say("250 ok")

    assert isinstance(outcome_of(script), Accepted)


def test_answers_that_arrive_byte_by_byte_are_understood() -> None:
    async def script(peer: Peer) -> None:
        writer = peer.writer

        async def slowly(text: str) -> None:
            for byte in (text.replace("\n", "\r\n") + "\r\n").encode():
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0)

        peer.say = slowly  # type: ignore[method-assign]
        await peer.hello(*PIPED)
        await peer.take("250-2.0.0 first\n250 2.0.0 second")

    outcome = outcome_of(script)

    assert isinstance(outcome, Accepted)
    assert outcome.reply.text == "first\nsecond"


def hang_up_after(word: str) -> Script:
    async def script(peer: Peer) -> None:
        if word == "CONNECT":
            return
        await peer.say("220 mx.test")
        if word == "GREETING":
            return
        await peer.expect("EHLO")
        if word == "EHLO":
            return
        await peer.say("250 mx.test")
        for command, answer in (("MAIL", "250 ok"), ("RCPT", "250 ok"), ("DATA", "354 go")):
            await peer.expect(command)
            if word == command:
                return
            await peer.say(answer)
        if word == "BODY":
            await peer.reader.readexactly(10)
            peer.writer.transport.abort()
            return
        await peer.body()

    return script


@pytest.mark.parametrize(
    ("word", "phase"),
    [
        ("CONNECT", Phase.CONNECT),
        ("GREETING", Phase.EHLO),
        ("EHLO", Phase.EHLO),
        ("MAIL", Phase.MAIL),
        ("RCPT", Phase.RCPT),
        ("DATA", Phase.DATA),
    ],
)
def test_a_connection_that_ends_before_the_dot_has_surely_not_sent(word: str, phase: Phase) -> None:
    outcome = outcome_of(hang_up_after(word))

    assert isinstance(outcome, NotSent)
    assert outcome.error.kind is FaultKind.DROPPED
    assert outcome.phase is phase


def test_a_connection_that_ends_in_the_body_has_surely_not_sent() -> None:
    big = ada(MESSAGE + (b"x" * 998 + b"\r\n") * 20_000)

    outcome = outcome_of(hang_up_after("BODY"), envelope=big)

    assert isinstance(outcome, NotSent)
    assert outcome.phase is Phase.BODY


def test_a_connection_that_ends_after_the_dot_leaves_the_outcome_unknown() -> None:
    outcome = outcome_of(hang_up_after("DOT"))

    assert isinstance(outcome, Unknown)
    assert outcome.error.kind is FaultKind.DROPPED


def test_a_server_that_never_answers_the_dot_leaves_the_outcome_unknown() -> None:
    async def script(peer: Peer) -> None:
        await peer.hello(*PIPED)
        for _ in range(3):
            await peer.line()
        await peer.say("250 ok\n250 ok\n354 go")
        await peer.body()
        await peer.line()

    outcome = outcome_of(script, timeouts=replace(PATIENT, dot=0.5))

    assert isinstance(outcome, Unknown)
    assert outcome.error.kind is FaultKind.TIMEOUT


@pytest.mark.parametrize("silent", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"])
def test_silence_before_the_dot_has_surely_not_sent(silent: str) -> None:
    async def script(peer: Peer) -> None:
        if silent != "GREETING":
            await peer.say("220 hello")
            for command, answer in (("EHLO", "250 mx"), ("MAIL", "250 ok"), ("RCPT", "250 ok"), ("DATA", "354 go")):
                await peer.expect(command)
                if command == silent:
                    break
                await peer.say(answer)
        await peer.reader.read()

    patience = {"GREETING": {"greeting": 0.5}, "DATA": {"data": 0.5}}.get(silent, {"command": 0.8})
    outcome = outcome_of(script, timeouts=replace(PATIENT, **patience))

    assert isinstance(outcome, NotSent)
    assert outcome.error.kind is FaultKind.TIMEOUT
    assert outcome.phase == (Phase.CONNECT if silent == "GREETING" else Phase[silent])


def test_a_server_that_stops_reading_the_body_has_surely_not_got_it() -> None:
    async def script(peer: Peer) -> None:
        await peer.hello()
        for answer in ("250 ok", "250 ok", "354 go"):
            await peer.line()
            await peer.say(answer)
        await asyncio.sleep(3)

    outcome = outcome_of(script, envelope=ada(b"x" * 30_000_000 + b"\r\n"), timeouts=replace(PATIENT, body=0.8))

    assert isinstance(outcome, NotSent)
    assert outcome.phase is Phase.BODY
    assert outcome.error.kind is FaultKind.TIMEOUT


def answering(word: str, answer: str, *features: str) -> Script:
    async def script(peer: Peer) -> None:
        await peer.hello(*features)
        sent_dot = False
        answers = {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go", "RSET": "250 ok"}
        while True:
            command = (await peer.line()).split(" ")[0]
            if command == "QUIT":
                return
            said = answer if command == word and not sent_dot else answers[command]
            await peer.say(said)
            if command == "DATA" and said.startswith("354"):
                await peer.reader.readuntil(b".\r\n") if word in {"MAIL", "RCPT"} else await peer.body()
                await peer.say(answer if word == "DOT" else "554 5.5.1 no valid recipients")

    return script


REFUSALS = [
    ("RCPT", "550 5.1.1 no such user", Refused(Reply(550, "5.1.1", "no such user"), Phase.RCPT)),
    ("RCPT", "450 4.2.1 busy", Refused(Reply(450, "4.2.1", "busy"), Phase.RCPT)),
    ("RCPT", "451 4.7.1 Greylisted", Refused(Reply(451, "4.7.1", "Greylisted"), Phase.RCPT)),
    ("RCPT", "554 5.7.1 Relay access denied", SenderRefused(Reply(554, "5.7.1", "Relay access denied"), Phase.RCPT)),
    ("MAIL", "530 5.7.0 sign in", SenderRefused(Reply(530, "5.7.0", "sign in"), Phase.MAIL)),
    ("MAIL", "451 later", SenderRefused(Reply(451, "", "later"), Phase.MAIL, Remedy.WAIT)),
    ("MAIL", "552 5.3.4 too big", Refused(Reply(552, "5.3.4", "too big"), Phase.MAIL)),
    ("MAIL", "421 4.7.0 slow down", SenderRefused(Reply(421, "4.7.0", "slow down"), Phase.MAIL, Remedy.WAIT)),
    ("DATA", "451 4.3.0 no", Refused(Reply(451, "4.3.0", "no"), Phase.DATA)),
    ("DOT", "550 5.7.26 DMARC", SenderRefused(Reply(550, "5.7.26", "DMARC"), Phase.DOT_SENT)),
    ("DOT", "550 5.7.515 denied", SenderRefused(Reply(550, "5.7.515", "denied"), Phase.DOT_SENT)),
    ("DOT", "552 5.2.2 full", Refused(Reply(552, "5.2.2", "full"), Phase.DOT_SENT)),
    ("DOT", "450 4.2.2 full", Refused(Reply(450, "4.2.2", "full"), Phase.DOT_SENT)),
    ("DOT", "421 gone", SenderRefused(Reply(421, "", "gone"), Phase.DOT_SENT, Remedy.WAIT)),
]


@pytest.mark.parametrize("features", [(), PIPED], ids=["step by step", "pipelined"])
@pytest.mark.parametrize(("word", "answer", "expected"), REFUSALS, ids=[f"{word} {said}" for word, said, _ in REFUSALS])
def test_a_refusal_is_told_with_the_servers_words(
    word: str, answer: str, expected: Refused | SenderRefused, features: tuple[str, ...]
) -> None:
    outcome = outcome_of(answering(word, answer, *features))

    assert isinstance(outcome, Refused | SenderRefused)
    assert (type(outcome), outcome.phase) == (type(expected), expected.phase)
    reply, wanted = outcome.reply, expected.reply
    assert (reply.code, reply.status, reply.text) == (wanted.code, wanted.status, wanted.text)
    if isinstance(outcome, SenderRefused) and isinstance(expected, SenderRefused):
        assert outcome.remedy is expected.remedy


def test_a_refusal_before_the_dot_is_read_although_the_server_cuts_the_connection() -> None:
    async def script(peer: Peer) -> None:
        await peer.hello(*PIPED)
        for _ in range(3):
            await peer.line()
        await peer.say("250 ok\n250 ok\n354 go")
        await peer.reader.readexactly(1000)
        await peer.say("550 5.7.9 I have seen enough")
        peer.writer.transport.abort()

    outcome = outcome_of(script, envelope=ada(MESSAGE + (b"x" * 998 + b"\r\n") * 20_000))

    assert isinstance(outcome, SenderRefused)
    assert outcome.reply.text == "I have seen enough"
    assert outcome.phase is Phase.BODY


def test_a_message_that_nobody_gets_is_ended_by_a_lone_dot_and_the_next_one_goes_through() -> None:
    async def script(peer: Peer) -> None:
        await peer.hello(*PIPED)
        for _ in range(3):
            await peer.line()
        await peer.say("250 ok\n550 5.1.1 nobody\n354 go")
        assert await peer.line() == "."
        await peer.say("554 no recipients")
        await peer.expect("RSET")
        await peer.say("250 ok")
        await peer.take()

    async def run() -> list[Outcome]:
        async with Scripted([script]) as server, server.pool() as pool:
            return [await pool.send(ada()), await pool.send(ada(to="bob@example.net"))]

    first, second = asyncio.run(run())

    assert isinstance(first, Refused)
    assert first.reply.status == "5.1.1"
    assert isinstance(second, Accepted)


async def say_junk(peer: Peer) -> None:
    await peer.raw(b"\xff\xfe\x00 HTTP/1.1 400 Bad Request\r\n")
    await peer.reader.read()


async def never_stop_talking(peer: Peer) -> None:
    for _ in range(200):
        await peer.raw(b"220-" + b"x" * 1000 + b"\r\n")
    await peer.reader.read()


@pytest.mark.parametrize("script", [say_junk, never_stop_talking])
def test_what_is_no_mail_server_is_named_so(script: Callable[[Peer], Awaitable[None]]) -> None:
    outcome = outcome_of(script)

    assert isinstance(outcome, NotSent)
    assert (outcome.error.kind, outcome.phase) == (FaultKind.GARBAGE, Phase.CONNECT)


def test_a_goodbye_in_the_same_breath_as_the_welcome_is_heard() -> None:
    async def script(peer: Peer) -> None:
        await peer.say("220 mx.test")
        await peer.expect("EHLO")
        await peer.say("250 mx.test\n421 4.3.2 going down")

    outcome = outcome_of(script)

    assert isinstance(outcome, SenderRefused)
    assert (str(outcome.reply), outcome.remedy) == ("421 4.3.2 going down", Remedy.WAIT)


def test_junk_in_place_of_the_last_answer_leaves_the_outcome_unknown() -> None:
    async def script(peer: Peer) -> None:
        await peer.hello()
        for answer in ("250 ok", "250 ok", "354 go"):
            await peer.line()
            await peer.say(answer)
        await peer.body()
        await peer.raw(b"?!\r\n")

    outcome = outcome_of(script)

    assert isinstance(outcome, Unknown)
    assert outcome.error.kind is FaultKind.GARBAGE


def test_bytes_that_are_no_text_are_shown_as_far_as_they_can_be() -> None:
    outcome = outcome_of(answering("RCPT", "550 5.1.1 bo\xeete \x00\x07 inconnue"))

    assert isinstance(outcome, Refused)
    assert outcome.reply.text == "bo\ufffdte \ufffd\ufffd inconnue"


def test_a_refused_connection_is_unreachable() -> None:
    async def run() -> Outcome:
        async with Scripted([say_junk]) as server:
            pass
        async with server.pool() as pool:
            return await pool.send(ada())

    outcome = asyncio.run(run())

    assert isinstance(outcome, NotSent)
    assert (outcome.error.kind, outcome.phase) == (FaultKind.UNREACHABLE, Phase.CONNECT)


@pytest.mark.parametrize(
    ("envelope", "status"),
    [
        (ada(b"Subject: x\r\n\r\none\n.\r\ntwo\r\n"), "5.6.0"),
        (ada(b"Subject: x\r\n\r\none\r.\r\ntwo\r\n"), "5.6.0"),
        (ada(b"Subject: x\r\n\r\nzero \0\r\n"), "5.6.0"),
        (ada("Subject: é\r\n\r\n".encode()), "5.6.3"),
        (ada(to="åsa@example.net"), "5.6.7"),
        (ada(to="ada@example.net>\r\nRCPT TO:<eve@example.net"), "5.1.3"),
        (ada(b"x" * 2000 + b"\r\n"), "5.3.4"),
    ],
)
def test_what_a_server_must_not_be_offered_is_refused_by_ourselves(envelope: Envelope, status: str) -> None:
    seen: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.hello("SIZE 1000")
        seen.append(await peer.line())
        await peer.say("221 bye")

    outcome = outcome_of(script, envelope=envelope)

    assert isinstance(outcome, Refused)
    assert (outcome.reply.status, outcome.reply.raw, outcome.phase) == (status, b"", Phase.QUEUED)
    assert seen == ["QUIT"]


def test_an_international_address_and_text_use_what_the_server_offers() -> None:
    seen: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.hello("PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "DSN")
        seen.extend([await peer.line(), await peer.line()])
        await peer.line()
        await peer.say("250 ok\n250 ok\n354 go")
        await peer.body()
        await peer.say("250 ok")

    data = "Subject: é\r\n\r\n".encode()
    envelope = Envelope("b+1@example.org", "åsa@example.net", data, envid="a=1")

    assert isinstance(outcome_of(script, envelope=envelope), Accepted)
    assert seen == [
        f"MAIL FROM:<b+1@example.org> SIZE={len(data)} BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+3D1",
        "RCPT TO:<åsa@example.net>",
    ]


def test_the_dot_is_recorded_before_it_is_written_and_its_answer_after() -> None:
    happened: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.hello(*PIPED)
        await peer.take()
        happened.append("server answered")

    async def run() -> None:
        hooks = Hooks(
            before_dot=lambda envelope: happened.append(f"dot {envelope.rcpt_to}"),
            settled=lambda envelope, outcome: happened.append(type(outcome).__name__),
        )
        async with Scripted([script]) as server, server.pool(hooks=hooks) as pool:
            await pool.send(ada())

    asyncio.run(run())

    assert happened == ["dot ada@example.net", "server answered", "Accepted"]


def test_a_dot_that_cannot_be_recorded_is_not_sent() -> None:
    got: list[bytes] = []

    async def script(peer: Peer) -> None:
        await peer.hello(*PIPED)
        for _ in range(3):
            await peer.line()
        await peer.say("250 ok\n250 ok\n354 go")
        got.append(await peer.reader.read())

    def full(envelope: Envelope) -> None:
        raise OSError("no space left on device")

    async def run() -> Outcome:
        async with Scripted([script]) as server, server.pool(hooks=Hooks(before_dot=full)) as pool:
            return await pool.send(ada())

    outcome = asyncio.run(run())

    assert isinstance(outcome, NotSent)
    assert (outcome.error.kind, outcome.phase) == (FaultKind.HOOK, Phase.BODY)
    assert not b"".join(got).endswith(b"\r\n.\r\n")
