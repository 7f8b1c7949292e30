"""How the line waits: briefly awake while the relay answers at once, asleep where it does not."""

from __future__ import annotations

import asyncio
import os
import selectors
import socket
import struct
from collections.abc import Iterator, Sequence

import pytest

from envoi.delivery.smtp import Fault, FaultKind, Loop, Reply, loop
from envoi.delivery.smtp.loop import BRIEF, TRUST, LookingAgain
from envoi.delivery.smtp.wire import Wire


class World:
    """A clock that goes on when the core is given away or slept; `answers_after` looks there is something to read."""

    def __init__(self) -> None:
        self.here, self.there = socket.socketpair()
        self.now = 0.0
        self.looks = 0
        self.answers_after = 0

    def yielded(self) -> None:
        self.looks += 1
        self.now += BRIEF / 5
        if self.looks == self.answers_after:
            self.there.send(b"250 Ok\r\n")

    def slept(self, selector: LookingAgain, seconds: float) -> None:
        """Wait for something that comes so much later."""
        self.looks = self.answers_after = 0
        before = self.now
        real = selectors.DefaultSelector.select

        def passing(waiting: selectors.DefaultSelector, timeout: float | None = None) -> loop.Ready:
            self.now = max(self.now, before + seconds) if timeout else self.now
            return real(waiting, 0)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(selectors.DefaultSelector, "select", passing)
            assert selector.select(1) == []


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World()
    monkeypatch.setattr(os, "sched_yield", made.yielded)
    monkeypatch.setattr(loop, "perf_counter", lambda: made.now)
    yield made
    made.here.close()
    made.there.close()


@pytest.fixture
def selector(world: World) -> Iterator[LookingAgain]:
    with LookingAgain() as made:
        made.register(world.here, selectors.EVENT_READ)
        yield made


def test_what_is_there_is_given_at_once(world: World, selector: LookingAgain) -> None:
    world.there.send(b"250 Ok\r\n")
    assert [key.fileobj for key, _ in selector.select(1)] == [world.here]
    assert world.looks == 0


def test_an_answer_that_comes_in_a_moment_is_found_without_sleeping(world: World, selector: LookingAgain) -> None:
    world.answers_after = 3
    assert [key.fileobj for key, _ in selector.select(None)] == [world.here]
    assert world.looks == 3


def test_whoever_asks_only_what_is_there_does_not_wait(world: World, selector: LookingAgain) -> None:
    assert selector.select(0) == []
    assert world.looks == 0


def test_a_relay_far_away_is_slept_for_and_one_that_is_quick_again_is_looked_for(
    world: World, selector: LookingAgain
) -> None:
    for _ in range(TRUST):
        world.slept(selector, 0.02)
        assert world.looks > 0
    world.slept(selector, 0.02)
    assert world.looks == 0
    world.slept(selector, BRIEF / 2)
    world.slept(selector, 0.02)
    assert world.looks > 0
    world.slept(selector, 0.02)
    assert world.looks == 0


class Ear:
    """Takes down what a wire tells."""

    def __init__(self, stumbles: bool = False) -> None:
        self.heard: list[str] = []
        self.lost: list[Fault] = []
        self._stumbles = stumbles

    def on_replies(self, replies: Sequence[Reply]) -> None:
        self.heard += [str(reply) for reply in replies]
        if self._stumbles:
            raise RuntimeError("ear ache")

    def on_drained(self) -> None: ...

    def on_lost(self, fault: Fault) -> None:
        self.lost.append(fault)

    def on_tick(self, now: float) -> None: ...


def conversation(ear: Ear, *said: bytes | None) -> list[str]:
    """A server says this, each when the one before has been heard; None breaks the connection off hard. Told errors."""
    told: list[str] = []

    async def run() -> None:
        at = asyncio.get_running_loop()
        at.set_exception_handler(lambda _, about: told.append(repr(about["exception"])))
        with socket.create_server(("127.0.0.1", 0)) as server:
            _, wire = await at.create_connection(Wire, *server.getsockname())
            wire.handler = ear
            there, _ = server.accept()
            with there:
                for number, words in enumerate(said, 1):
                    if words is None:
                        there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        break
                    there.send(words)
                    while len(ear.heard) < number:
                        await asyncio.sleep(0.001)
            await asyncio.wait_for(wire.closed, 5)

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(run())
    return told


OK, BYE = b"250 Ok\r\n", b"421 Bye\r\n"


@pytest.mark.parametrize(
    ("said", "why"),
    [((OK, BYE), "closed by the server"), ((OK, BYE, None), "[Errno 104] Connection reset by peer")],
)
def test_what_a_server_says_is_read_by_the_selector_itself_until_its_end(
    said: tuple[bytes | None, ...], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = socket.socket.recv

    def recv(handle: socket.socket, size: int) -> bytes:
        asked.append(size)
        return real(handle, size)

    monkeypatch.setattr(socket.socket, "recv", recv)
    ear = Ear()
    assert conversation(ear, *said) == []
    assert ear.heard == ["250 Ok", "421 Bye"]
    assert ear.lost == [Fault(FaultKind.DROPPED, f"the connection broke off: {why}")]
    # By its size: asyncio's own transport asks for more.
    assert asked.count(loop.MOST) == 3
    assert asked[:2] == [loop.MOST] * 2


def test_an_error_of_ours_while_reading_is_told_and_ends_that_connection_alone() -> None:
    ear = Ear(stumbles=True)
    assert conversation(ear, OK) == ["RuntimeError('ear ache')"]
    assert ear.heard == ["250 Ok"]
    assert ear.lost == [Fault(FaultKind.DROPPED, "the connection broke off: ear ache")]
