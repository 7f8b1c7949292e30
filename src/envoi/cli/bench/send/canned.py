"""For `bench send --canned`: everybody is sent the message of the first, so composing costs nothing.

What is reached then no better way of composing can exceed. Before the senders are forked; nobody else uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from envoi.broadcasts.channels import EMAIL
from envoi.delivery import composers
from envoi.delivery.composers import Compose, Composer, Leased, Message, RenderProblem
from envoi.delivery.models import Mailing


def compose_once() -> None:
    """From now on broadcasts of this process, and of those it forks, are composed once in each shift."""
    composers.register(EMAIL.composer, Canned(composers.named(EMAIL.composer)))


class Canned:
    """Opens what `real` opens."""

    def __init__(self, real: Composer) -> None:
        self._real = real

    def open(self, mailing: Mailing, /) -> Compose:
        return _TheFirst(self._real.open(mailing))


class _TheFirst:
    """Reads of everybody what `real` reads, and lets it write the first message only."""

    def __init__(self, real: Compose) -> None:
        self._real = real
        self._message: Message | RenderProblem | None = None

    def load(self, batch: Sequence[Leased], /) -> Sequence[Any]:
        return self._real.load(batch)

    def write(self, row: Leased, loaded: Any, /) -> Message | RenderProblem:
        if self._message is None:
            self._message = self._real.write(row, loaded)
        return self._message
