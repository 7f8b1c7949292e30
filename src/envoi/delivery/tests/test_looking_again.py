"""How the line waits: briefly awake while the relay answers at once, asleep where it does not."""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Iterator

import pytest

from envoi.delivery.shifts import looking_again
from envoi.delivery.shifts.looking_again import BRIEF, TRUST, LookingAgain


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

        def passing(waiting: selectors.DefaultSelector, timeout: float | None = None) -> looking_again.Ready:
            self.now = max(self.now, before + seconds) if timeout else self.now
            return real(waiting, 0)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(selectors.DefaultSelector, "select", passing)
            assert selector.select(1) == []


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World()
    monkeypatch.setattr(os, "sched_yield", made.yielded)
    monkeypatch.setattr(looking_again, "perf_counter", lambda: made.now)
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
