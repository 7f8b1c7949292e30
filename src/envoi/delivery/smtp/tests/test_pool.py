"""Many messages over few connections: nobody is forgotten, nobody is sent twice."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections import Counter
from dataclasses import replace

from envoi.delivery.smtp import (
    Accepted,
    Envelope,
    FaultKind,
    Hooks,
    NotSent,
    Outcome,
    Phase,
    Pool,
    Security,
    SenderRefused,
    SmtpSettings,
    Timeouts,
    Unknown,
)
from envoi.delivery.smtp.tests.scripted import QUICK, Peer, Scripted, ada
from envoi.delivery.smtp.wire import Wire


class Office:
    """A well-behaved server that reads ahead; `quota` messages per connection, then 421 or a hang-up."""

    def __init__(self, quota: int = 10**9, farewell: str = "") -> None:
        self.quota = quota
        self.farewell = farewell
        self.uneven = 0.0
        self.got: Counter[str] = Counter()
        self.at_once = 0
        self.most = 0

    async def __call__(self, peer: Peer) -> None:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await self._serve(peer)
        finally:
            self.at_once -= 1

    async def _serve(self, peer: Peer) -> None:
        await peer.hello("PIPELINING")
        left = self.quota
        while True:
            line = await peer.line()
            word = line.split(" ")[0]
            if word == "QUIT":
                await peer.say("221 bye")
                return
            if word == "MAIL" and left == 0:
                if self.farewell:
                    await peer.say(self.farewell)
                return
            if word == "RCPT":
                recipient = line[9:-1]
            if word == "DATA":
                await asyncio.sleep(self.uneven * (self.got.total() % 4))
                await peer.say("354 go")
                await peer.body()
                self.got[recipient] += 1
                left -= 1
            await peer.say("250 ok")


def addresses(number: int) -> list[str]:
    return [f"person{index}@example.net" for index in range(number)]


def sent_through(office: Office, number: int, connections: int, per_connection: int) -> tuple[list[Outcome], Scripted]:
    async def run() -> tuple[list[Outcome], Scripted]:
        async with Scripted([office]) as server, Pool(server.settings(), connections, per_connection) as pool:
            return await asyncio.gather(*(pool.send(ada(to=to)) for to in addresses(number))), server

    return asyncio.run(run())


def test_everybody_gets_one_copy_over_no_more_connections_than_allowed() -> None:
    office = Office()

    outcomes, server = sent_through(office, 200, connections=3, per_connection=1000)

    assert {type(outcome) for outcome in outcomes} == {Accepted}
    assert office.got == Counter(addresses(200))
    assert office.most <= 3
    assert server.connections <= 3


def test_a_connection_carries_no_more_messages_than_it_may() -> None:
    office = Office()

    outcomes, server = sent_through(office, 25, connections=1, per_connection=10)

    assert {type(outcome) for outcome in outcomes} == {Accepted}
    assert office.got == Counter(addresses(25))
    assert server.connections == 3
    assert server.seen.count("QUIT") == 3


def test_a_connection_that_has_ended_leaves_nothing_behind_until_somebody_looks_for_cycles() -> None:
    def standing() -> int:
        return sum(type(thing) is Wire for thing in gc.get_objects())

    async def standing_after(messages: int) -> int:
        async with Scripted([Office()]) as server, Pool(server.settings(), 1, 2) as pool:
            for to in addresses(messages):
                await pool.send(ada(to=to))
            for _ in range(100):
                if standing() == 1:
                    break
                await asyncio.sleep(0.05)
            return standing()

    gc.collect()
    gc.disable()
    try:
        assert asyncio.run(standing_after(9)) == 1
    finally:
        gc.enable()


def test_a_server_that_wants_a_new_connection_now_and_then_costs_nobody_anything() -> None:
    for farewell in ("421 4.7.0 too many messages", ""):
        office = Office(quota=7, farewell=farewell)

        outcomes, server = sent_through(office, 30, connections=1, per_connection=1000)

        assert {type(outcome) for outcome in outcomes} == {Accepted}, farewell
        assert office.got == Counter(addresses(30))
        assert server.connections == 5


def test_nobody_is_put_off_by_a_server_that_takes_one_message_per_connection() -> None:
    """Each message that follows another is cut off; offered again, it is the first on its connection at last."""
    for farewell in ("421 4.7.0 one is enough", ""):
        office = Office(quota=1, farewell=farewell)
        office.uneven = 0.002

        outcomes, _ = sent_through(office, 40, connections=3, per_connection=1000)

        assert {type(outcome) for outcome in outcomes} == {Accepted}, farewell
        assert office.got == Counter(addresses(40))


def test_what_one_connection_refused_of_a_message_does_not_empty_it_on_the_next() -> None:
    bodies: list[bytes] = []

    async def closes(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        bodies.append(await peer.take())
        await peer.expect("MAIL")
        await peer.say("450 4.7.0 too much at once")
        await peer.expect("RCPT")
        await peer.say("421 4.7.0 closing")

    async def takes(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        bodies.append(await peer.take())

    async def run() -> list[Outcome]:
        async with Scripted([closes, takes]) as server, server.pool() as pool:
            return list(await asyncio.gather(*map(pool.send, (ada(b"A: first\r\n"), ada(b"A: second\r\n")))))

    assert [type(outcome) for outcome in asyncio.run(run())] == [Accepted, Accepted]
    assert bodies == [b"A: first\r\n", b"A: second\r\n"]


def test_a_server_that_takes_nothing_is_not_asked_for_ever() -> None:
    outcomes, server = sent_through(Office(quota=0, farewell="421 4.7.0 no"), 4, connections=1, per_connection=1000)

    assert [type(outcome) for outcome in outcomes] == [SenderRefused] * 4
    assert server.connections == 4


def test_a_message_whose_envelope_followed_a_dot_without_answer_is_offered_again() -> None:
    office = Office()

    async def swallow(peer: Peer) -> None:
        await peer.hello("PIPELINING")
        for _ in range(3):
            await peer.line()
        await peer.say("250 ok\n250 ok\n354 go")
        await peer.body()
        assert [(await peer.line()).split(" ")[0] for _ in range(3)] == ["MAIL", "RCPT", "DATA"]

    async def run() -> list[Outcome]:
        async with Scripted([swallow, office]) as server, server.pool() as pool:
            return await asyncio.gather(*(pool.send(ada(to=to)) for to in addresses(3)))

    outcomes = asyncio.run(run())

    assert [type(outcome) for outcome in outcomes] == [Unknown, Accepted, Accepted]
    assert office.got == Counter(addresses(3)[1:])


def test_messages_that_were_taken_back_are_not_offered() -> None:
    office = Office()
    bob, eve = "bob@example.net", "eve@example.net"

    async def run() -> list[Outcome]:
        hooks = Hooks(before_mail=lambda envelope: envelope.rcpt_to != bob)
        async with Scripted([office]) as server, server.pool(hooks=hooks) as pool:
            return [*await asyncio.gather(*(pool.send(ada(to=to)) for to in ("ada@example.net", bob, eve)))]

    first, second, third = asyncio.run(run())

    assert isinstance(first, Accepted)
    assert isinstance(second, NotSent)
    assert (second.error.kind, second.phase) == (FaultKind.WITHHELD, Phase.QUEUED)
    assert isinstance(third, Accepted)
    assert office.got == Counter(["ada@example.net", eve])


def test_a_hook_that_fails_leaves_nobody_without_an_outcome() -> None:
    def broken(envelope: Envelope) -> bool:
        raise RuntimeError("the list of suppressions is gone")

    async def run() -> Outcome:
        async with Scripted([Office()]) as server, server.pool(hooks=Hooks(before_mail=broken)) as pool:
            return await pool.send(ada())

    outcome = asyncio.run(run())

    assert isinstance(outcome, NotSent)
    assert (outcome.error.kind, outcome.phase) == (FaultKind.HOOK, Phase.QUEUED)


def test_a_cancelled_message_that_still_waits_is_not_offered() -> None:
    office = Office()

    async def run() -> None:
        async with Scripted([office]) as server, server.pool() as pool:
            kept, dropped = pool.send(ada()), pool.send(ada(to="bob@example.net"))
            dropped.cancel()
            assert isinstance(await kept, Accepted)

    asyncio.run(run())

    assert office.got == Counter(["ada@example.net"])


def test_closing_finishes_what_is_on_its_way_and_answers_what_waits() -> None:
    office = Office()

    async def run() -> list[Outcome]:
        async with Scripted([office]) as server:
            pool = server.pool()
            first = pool.send(ada())
            await asyncio.sleep(0)
            while not office.got and not office.at_once:
                await asyncio.sleep(0.005)
            await first
            waiting = [pool.send(ada(to=to)) for to in addresses(3)]
            closing = asyncio.ensure_future(pool.close())
            late = pool.send(ada(to="late@example.net"))
            await closing
            return [await outcome for outcome in [*waiting, late]]

    *waiting, late = asyncio.run(run())

    assert isinstance(waiting[0], Accepted)
    for outcome in [*waiting[1:], late]:
        assert isinstance(outcome, Accepted | NotSent)
    accepted = sum(isinstance(outcome, Accepted) for outcome in [*waiting, late])
    assert sum(office.got.values()) == 1 + accepted


def test_a_connection_is_given_back_when_nothing_is_left_to_send() -> None:
    office = Office()

    async def run() -> tuple[int, int]:
        async with Scripted([office]) as server:
            settings = replace(server.settings(), timeouts=replace(QUICK, idle=0.2))
            async with Pool(settings) as pool:
                await pool.send(ada())
                while office.at_once:
                    await asyncio.sleep(0.02)
                await pool.send(ada(to="bob@example.net"))
                return server.connections, server.seen.count("QUIT")

    assert asyncio.run(run()) == (2, 1)


def test_a_crowded_server_is_served_by_the_connections_it_gives() -> None:
    office = Office()

    async def full(peer: Peer) -> None:
        await peer.say("421 4.7.0 too many connections from you")

    async def run() -> list[Outcome]:
        async with Scripted([office, full]) as server, Pool(server.settings(), max_connections=5) as pool:
            assert isinstance(await pool.send(ada()), Accepted)
            return await asyncio.gather(*(pool.send(ada(to=to)) for to in addresses(40)))

    outcomes = asyncio.run(run())

    assert {type(outcome) for outcome in outcomes} == {Accepted}
    assert office.got == Counter([*addresses(40), "ada@example.net"])


def test_every_outcome_is_told_once() -> None:
    office = Office(quota=5)
    told: list[Envelope] = []

    async def run() -> list[Envelope]:
        async with Scripted([office]) as server:
            hooks = Hooks(settled=lambda envelope, outcome: told.append(envelope))
            async with Pool(server.settings(), 2, hooks=hooks) as pool:
                envelopes = [ada(to=to) for to in addresses(40)]
                await asyncio.gather(*(pool.send(envelope) for envelope in envelopes))
                return envelopes

    envelopes = asyncio.run(run())

    assert sorted(map(id, told)) == sorted(map(id, envelopes))


def test_the_waits_are_those_of_the_standard() -> None:
    standard = Timeouts()

    assert (standard.greeting, standard.command, standard.data, standard.body, standard.dot) == (
        300,
        300,
        120,
        180,
        600,
    )


def test_nobody_waits_for_ever_when_all_connections_are_refused_in_the_same_instant() -> None:
    async def scene() -> list[Outcome]:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))  # bound but not listening: refused at once, and nobody else's meanwhile
            settings = SmtpSettings(host="127.0.0.1", port=closed.getsockname()[1], security=Security.NONE)
            async with Pool(settings, max_connections=8) as pool:
                return await asyncio.wait_for(asyncio.gather(*(pool.send(ada()) for _ in range(20))), 10)

    outcomes = asyncio.run(scene())

    assert len(outcomes) == 20
    assert all(isinstance(outcome, NotSent) and outcome.error.kind is FaultKind.UNREACHABLE for outcome in outcomes)
