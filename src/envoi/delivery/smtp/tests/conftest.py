"""Every conversation is held twice: in asyncio's own loop, and in the one of those who send many messages."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from envoi.delivery.smtp import Loop


class Policy(asyncio.DefaultEventLoopPolicy):
    """New loops are those of the senders."""

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return Loop()


@pytest.fixture(autouse=True, params=["a loop of asyncio", "the loop of senders"])
def loop_of(request: pytest.FixtureRequest) -> Iterator[None]:
    asyncio.set_event_loop_policy(Policy() if request.param == "the loop of senders" else None)
    yield
    asyncio.set_event_loop_policy(None)
