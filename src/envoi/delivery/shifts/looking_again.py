"""What the line's event loop waits with: it looks again for a moment before it sleeps.

A relay on the same machine or the same network answers within microseconds. To sleep and be woken costs more than that,
above all in a virtual machine, where waking another core is an exit to the host: beside `smtp-sink` a broadcast was a
tenth faster, at no more processor time a message. Whoever else wants the core gets it each time; where answers take
longer, looking again is soon left alone, so a far relay costs nothing.
"""

from __future__ import annotations

import asyncio
import os
import selectors
from time import perf_counter

# Seconds: looked again so long at most, and a wait that was longer was worth the sleep.
BRIEF = 50e-6
# So many waits in a row that were longer than that, and it sleeps at once.
TRUST = 8

Ready = list[tuple[selectors.SelectorKey, int]]


class LookingAgain(selectors.DefaultSelector):
    """A selector of the standard library, with its results."""

    def __init__(self) -> None:
        super().__init__()
        self._trust = TRUST

    def select(self, timeout: float | None = None) -> Ready:
        ready: Ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        began = perf_counter()
        while self._trust and perf_counter() - began < BRIEF:
            os.sched_yield()
            if ready := super().select(0):
                self._trust = min(TRUST, self._trust + 1)
                return ready
        ready = super().select(timeout)
        worth = perf_counter() - began < BRIEF
        self._trust = min(TRUST, self._trust + 1) if worth else max(0, self._trust - 1)
        return ready


def event_loop() -> asyncio.AbstractEventLoop:
    """One that waits so."""
    return asyncio.SelectorEventLoop(LookingAgain())
