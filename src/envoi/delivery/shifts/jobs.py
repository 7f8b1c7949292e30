"""What the worker hands to its line, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from envoi.delivery.composers import Leased, Message, RenderProblem
from envoi.delivery.smtp import Outcome


class Job(NamedTuple):
    """One message to hand over.

    Attributes:
        loaded: what `Compose.load` gave for the row.
        not_before: the slot that the transport's rate gives it, in seconds of `elapsed`.
    """

    row: Leased
    loaded: Any
    not_before: float = 0.0


@dataclass(frozen=True, slots=True)
class ComposeFailed:
    """Composing raised `error`: the fault of the mailing, not of this recipient. Nothing more is offered after it."""

    error: Exception


Settled = tuple[Leased, Outcome | RenderProblem | ComposeFailed]
Write = Callable[[Leased, Any], Message | RenderProblem]
