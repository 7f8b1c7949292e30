"""A server that breaks at random: whatever it does, what the client says of a message is true."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random

import pytest

from envoi.delivery.smtp import Accepted, Outcome, Pool, Unknown
from envoi.delivery.smtp.tests.scripted import Hangup, Peer, Scripted, ada

MESSAGES = 250


class Moody:
    """Takes messages into `took`; at every step it may refuse, say 421, hang up or cut the connection."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.took: Counter[str] = Counter()

    async def __call__(self, peer: Peer) -> None:
        ahead = self.chance.random() < 0.7
        await self._mood(peer, "220 hello", 0.03)
        await peer.expect("EHLO")
        await self._mood(peer, "250-mx\n250 PIPELINING" if ahead else "250 mx", 0.03)
        recipient, wanted = "", False
        while True:
            line = await peer.line()
            word = line.split(" ")[0]
            if word == "QUIT":
                await peer.say("221 bye")
                return
            if word == "RCPT":
                recipient = line[9:-1]
            if word == "DATA":
                if wanted or self.chance.random() < 0.5:
                    await peer.say("354 go")
                    await self._message(peer, recipient, wanted)
                else:
                    await peer.say("503 no")
                wanted = False
                continue
            refused = await self._mood(peer, "250 ok")
            wanted = not refused if word == "MAIL" else wanted and not refused if word == "RCPT" else False

    async def _message(self, peer: Peer, recipient: str, wanted: bool) -> None:
        if not wanted:
            assert await peer.reader.readexactly(3) == b".\r\n"
            await peer.say("554 nobody")
            return
        if self.chance.random() < 0.03:
            await peer.reader.read(5)
            await peer.say("550 5.6.0 enough")
            peer.writer.transport.abort()
            raise Hangup
        assert await peer.reader.readline() != b".\r\n", "an empty message to somebody whose envelope was taken"
        await peer.body()
        mood = self.chance.random()
        if mood < 0.05:
            await peer.say("451 4.3.0 not now")
        elif mood < 0.1:
            await peer.say("550 5.2.0 never")
        elif mood < 0.13:
            raise Hangup
        else:
            self.took[recipient] += 1
            if mood < 0.16:
                peer.writer.transport.abort()
                raise Hangup
            if mood < 0.2:
                await peer.raw(b"250 2.0.0 o")
                await asyncio.sleep(0.01)
                await peer.raw(b"k\r\n")
            else:
                await peer.say("250 2.0.0 ok")

    async def _mood(self, peer: Peer, answer: str, trouble: float = 0.1) -> bool:
        """Answer, or not; whether it was a refusal."""
        mood = self.chance.random() / trouble
        if mood > 1:
            await peer.say(answer)
            return False
        if mood < 0.2:
            raise Hangup
        if mood < 0.3:
            await peer.say("421 4.3.2 closing")
            raise Hangup
        if mood < 0.4:
            peer.writer.transport.abort()
            raise Hangup
        await peer.say("450 4.2.0 not now" if mood < 0.7 else "550 5.1.1 never")
        return True


@pytest.mark.parametrize("seed", range(8))
def test_what_is_said_of_a_message_is_true(seed: int) -> None:
    moody = Moody(seed)
    people = [f"person{number}@example.net" for number in range(MESSAGES)]

    async def run() -> dict[str, Outcome]:
        async with Scripted([moody]) as server, Pool(server.settings(), 4, 17) as pool:
            outcomes = await asyncio.gather(*(pool.send(ada(to=to)) for to in people))
            return dict(zip(people, outcomes, strict=True))

    outcomes = asyncio.run(run())

    for to, outcome in outcomes.items():
        if isinstance(outcome, Accepted):
            assert moody.took[to] == 1
        elif isinstance(outcome, Unknown):
            assert moody.took[to] in {0, 1}
        else:
            assert moody.took[to] == 0, outcome
    assert {Accepted, Unknown} <= {type(outcome) for outcome in outcomes.values()}
