"""What a connection works on: messages, and commands whose answers are outstanding."""

from __future__ import annotations

import asyncio

from envoi.delivery.smtp.envelopes import Envelope
from envoi.delivery.smtp.outcomes import Outcome
from envoi.delivery.smtp.phases import Phase


class Job:
    """An envelope on its way; `phase` is how far it has come."""

    __slots__ = ("envelope", "future", "phase", "refusal", "retried")

    def __init__(self, envelope: Envelope, future: asyncio.Future[Outcome]) -> None:
        self.envelope = envelope
        self.future = future
        self.phase = Phase.QUEUED
        self.refusal: Outcome | None = None
        self.retried = False


class Step:
    """A command whose answer is awaited. `RSET` and `QUIT` belong to no message."""

    __slots__ = ("job", "phase", "word")

    def __init__(self, word: str, phase: Phase, job: Job | None = None) -> None:
        self.word = word
        self.phase = phase
        self.job = job
