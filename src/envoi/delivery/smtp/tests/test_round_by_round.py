"""Message after message on one connection: the answer to a dot comes with those to the next envelope, however cut."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from envoi.delivery.smtp import (
    Accepted,
    Envelope,
    FaultKind,
    NotSent,
    Outcome,
    Phase,
    Pool,
    Refused,
    Security,
    SenderRefused,
    Unknown,
)
from envoi.delivery.smtp.tests.scripted import Certified, Peer, Scripted, ada, certified

GOOD = ("250 2.0.0 queued as {number}", "250 2.1.0 sender ok", "250 2.1.5 recipient ok", "354 go on")


@pytest.fixture(scope="module")
def localhost(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return certified(tmp_path_factory.mktemp("good"), "127.0.0.1")


class Rounds:
    """Reads a dot and the envelope behind it, then answers all four at once, by `write`; `said` replaces an answer."""

    def __init__(self, total: int, write: Callable[[Peer, int, bytes], Awaitable[None]] | None = None) -> None:
        self.total = total
        self.write = write
        self.said: dict[tuple[int, int], str] = {}
        self.bodies: list[tuple[str, bytes]] = []

    async def __call__(self, peer: Peer) -> None:
        await peer.hello("PIPELINING", "8BITMIME")
        for number in range(self.total):
            recipient = await self.envelope(peer)
            await self.answer(peer, number, *range(0 if number else 1, 4))
            self.bodies.append((recipient, await peer.body()))
        await self.answer(peer, self.total, 0)
        await peer.expect("QUIT")

    async def envelope(self, peer: Peer) -> str:
        """Read so long that all of it must have been sent."""
        await peer.expect("MAIL")
        recipient = await peer.expect("RCPT")
        await peer.expect("DATA")
        return recipient

    async def answer(self, peer: Peer, number: int, *which: int) -> None:
        lines = [self.said.get((number, index), GOOD[index]) for index in which]
        data = "".join(f"{line}\r\n" for line in lines).format(number=number).encode()
        if self.write is None:
            await peer.raw(data)
        else:
            await self.write(peer, number, data)


def people(number: int) -> list[str]:
    return [f"person{index}@example.net" for index in range(number)]


def exchange(script: Rounds, number: int, certificate: Certified | None = None) -> list[Outcome]:
    async def run() -> list[Outcome]:
        async with Scripted([script], tls=certificate.server if certificate else None) as server:
            security = Security.TLS if certificate else Security.NONE
            settings = replace(server.settings(security), tls_context=certificate.client if certificate else None)
            async with Pool(settings, 1, number) as pool:
                outcomes = await asyncio.gather(*(pool.send(ada(to=to)) for to in people(number)))
        assert server.connections == 1
        return outcomes

    return asyncio.run(run())


def test_each_message_gets_the_answer_to_its_own_dot() -> None:
    script = Rounds(40)

    outcomes = exchange(script, 40)

    assert [outcome.reply.text for outcome in outcomes if isinstance(outcome, Accepted)] == [
        f"queued as {number}" for number in range(1, 41)
    ]
    assert [recipient for recipient, _ in script.bodies] == [f"RCPT TO:<{to}>" for to in people(40)]
    assert {body for _, body in script.bodies} == {ada().data.replace(b"\r\n.", b"\r\n..")}


def test_so_it_is_inside_tls(localhost: Certified) -> None:
    outcomes = exchange(Rounds(40), 40, localhost)

    assert [outcome.reply.text for outcome in outcomes if isinstance(outcome, Accepted)] == [
        f"queued as {number}" for number in range(1, 41)
    ]


def test_so_it_is_wherever_the_answers_are_cut() -> None:
    async def in_two(peer: Peer, number: int, data: bytes) -> None:
        await peer.raw(data[:number])
        await asyncio.sleep(0.002)
        await peer.raw(data[number:])

    longest = len("".join(f"{line}\r\n" for line in GOOD))

    outcomes = exchange(Rounds(longest, in_two), longest)

    assert [outcome.reply.text for outcome in outcomes if isinstance(outcome, Accepted)] == [
        f"queued as {number}" for number in range(1, longest + 1)
    ]


def test_so_it_is_when_they_come_byte_by_byte() -> None:
    async def in_bytes(peer: Peer, number: int, data: bytes) -> None:
        for byte in data:
            await peer.raw(bytes([byte]))
            await asyncio.sleep(0)

    outcomes = exchange(Rounds(5, in_bytes), 5)

    assert [type(outcome) for outcome in outcomes] == [Accepted] * 5


ANSWERS = [
    (0, "451 4.3.0 not now", Refused, Phase.DOT_SENT, 9),
    (0, "550 5.7.26 DMARC", SenderRefused, Phase.DOT_SENT, 9),
    (0, "250-2.0.0 in two\r\n250 2.0.0 lines", Accepted, None, 9),
    (1, "451 4.4.2 later", SenderRefused, Phase.MAIL, 10),
    (2, "450 4.2.0 full", Refused, Phase.RCPT, 10),
    (2, "550 5.1.1 nobody", Refused, Phase.RCPT, 10),
    (3, "451 4.3.0 no data", Refused, Phase.DATA, 10),
]


class Particular(Rounds):
    """Goes on after a refusal as servers do: no 354 without recipient, or 354 and 554 for the lone dot."""

    def __init__(self, total: int, index: int, answer: str, lone_dot: bool) -> None:
        super().__init__(total if index == 0 else total - 1)
        self.index = index
        self.lone_dot = lone_dot
        self.said[10, index] = answer
        if index in (1, 2) and not lone_dot:
            self.said[10, 3] = "503 5.5.1 no recipients"

    async def answer(self, peer: Peer, number: int, *which: int) -> None:
        await super().answer(peer, number, *which)
        if number != 10 or self.index == 0:
            return
        if self.index != 3 and self.lone_dot:
            assert await peer.line() == "."
            await peer.say("554 5.5.1 nobody gets it")
        await peer.expect("RSET")
        await self.envelope(peer)
        await peer.say("250 fresh\n250 ok\n250 ok\n354 go")


@pytest.mark.parametrize("lone_dot", [False, True], ids=["no data", "lone dot"])
@pytest.mark.parametrize(
    ("index", "answer", "kind", "phase", "whom"),
    ANSWERS,
    ids=[f"{index} {answer[:9]}" for index, answer, *_ in ANSWERS],
)
def test_a_refusal_in_the_middle_concerns_one_message_only(
    index: int, answer: str, kind: type, phase: Phase | None, whom: int, lone_dot: bool
) -> None:
    outcomes = exchange(Particular(20, index, answer, lone_dot), 20)

    assert type(outcomes[whom]) is kind
    assert getattr(outcomes[whom], "phase", None) is phase
    assert [type(outcome) for outcome in outcomes[:whom] + outcomes[whom + 1 :]] == [Accepted] * 19


@pytest.mark.parametrize(
    ("early", "kind"),
    [
        (b"354 go\r\n250 2.0.0 taken\r\n", NotSent),
        (b"354 go\r\n250", NotSent),
        (b"354 go\r\n550 5.6.0 on second thoughts, no\r\n", Refused),
        (b"354 go\r\n421 4.3.2 going down\r\n", SenderRefused),
    ],
)
def test_what_a_server_says_before_it_has_the_message_does_not_accept_it(early: bytes, kind: type) -> None:
    rest: list[bytes] = []

    async def script(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        for _ in range(3):
            await peer.line()
        await peer.raw(b"250 ok\r\n250 ok\r\n" + early)
        if not early.endswith(b"\n"):
            await asyncio.sleep(0.05)
            await peer.raw(b" 2.0.0 taken\r\n")
        rest.append(await peer.reader.read())

    async def run() -> Outcome:
        async with Scripted([script]) as server, server.pool() as pool:
            return await pool.send(ada())

    outcome = asyncio.run(run())

    assert type(outcome) is kind
    assert rest == [b""]
    if isinstance(outcome, NotSent):
        assert outcome.error.kind is FaultKind.GARBAGE


def test_after_junk_in_place_of_an_answer_to_a_dot_nothing_more_is_believed() -> None:
    async def script(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        for _ in range(3):
            await peer.line()
        await peer.say("250 ok\n250 ok\n354 go")
        await peer.body()
        await peer.raw(b"354 again?\r\n250 2.0.0 taken\r\n")
        await peer.reader.read()

    async def run() -> Outcome:
        async with Scripted([script]) as server, server.pool() as pool:
            return await pool.send(ada())

    outcome = asyncio.run(run())

    assert isinstance(outcome, Unknown)
    assert outcome.error.kind is FaultKind.GARBAGE


def test_a_dot_at_the_beginning_of_a_line_is_doubled() -> None:
    script = Rounds(1)

    async def run() -> Outcome:
        async with Scripted([script]) as server, server.pool(messages_per_connection=1) as pool:
            data = b"A: b\r\n\r\n.\r\n..c\r\n"
            return await pool.send(Envelope("b@example.org", "ada@example.net", data))

    assert isinstance(asyncio.run(run()), Accepted)
    assert script.bodies == [("RCPT TO:<ada@example.net>", b"A: b\r\n\r\n..\r\n...c\r\n")]


def test_what_its_maker_vouches_for_goes_out_as_it_is() -> None:
    script = Rounds(1)
    data = b"A: b\r\n\r\n=2E\r\n=2E.c\r\n"

    async def run() -> Outcome:
        async with Scripted([script]) as server, server.pool(messages_per_connection=1) as pool:
            return await pool.send(Envelope("b@example.org", "ada@example.net", data, clean_lines=True))

    assert isinstance(asyncio.run(run()), Accepted)
    assert script.bodies == [("RCPT TO:<ada@example.net>", data)]


def test_a_message_bigger_than_the_kernel_takes_at_once_has_its_dot_in_the_end() -> None:
    big = b"Subject: big\r\n\r\n" + (b"x" * 998 + b"\r\n") * 5_000
    got: list[int] = []

    async def script(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        for number in range(3):
            for _ in range(3):
                await peer.line()
            await peer.say(("250 ok\n" if number else "") + "250 ok\n250 ok\n354 go")
            await asyncio.sleep(0.05)
            length, tail = 0, b""
            while not tail.endswith(b"\r\n.\r\n"):
                line = await peer.reader.readline()
                length, tail = length + len(line), (tail + line)[-5:]
            got.append(length - 3)
        await peer.say("250 ok")
        await peer.expect("QUIT")

    async def run() -> list[Outcome]:
        async with Scripted([script]) as server, server.pool(messages_per_connection=3) as pool:
            return await asyncio.gather(*(pool.send(ada(big)) for _ in range(3)))

    assert [type(outcome) for outcome in asyncio.run(run())] == [Accepted] * 3
    assert got == [len(big)] * 3
