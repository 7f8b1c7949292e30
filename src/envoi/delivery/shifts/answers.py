"""What the answers mean for the rows in hand, and what they say of the mailing and of the transport."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime

from envoi.core import clock
from envoi.delivery.actions.dead_addresses import suppress_dead
from envoi.delivery.composers import Leased, RenderProblem
from envoi.delivery.limits.gate import Gate
from envoi.delivery.models import Delivery
from envoi.delivery.queries.results import Result
from envoi.delivery.shifts.batches import Hand
from envoi.delivery.shifts.decisions import SENDER_REFUSED, Standstill, decide, skipped
from envoi.delivery.shifts.jobs import ComposeFailed, Settled
from envoi.delivery.smtp import Accepted, Outcome

State = Delivery.State

BUDGET_OVER = 200


class Answers:
    """Read in the worker's thread.

    Attributes:
        standstill: why the transport must pause.
        fault: what the composer raised.
        taken_back: rows that are not to be offered any more, with the reason.
    """

    def __init__(self, hand: Hand, gate: Gate) -> None:
        self.standstill: Standstill | None = None
        self.fault: Exception | None = None
        self.taken_back: dict[int, Delivery.SkipReason] = {}
        self._hand = hand
        self._gate = gate
        # Kept until they are written down: the database may be away just then.
        self._dead: dict[str, str] = {}
        self._latest: deque[bool] = deque(maxlen=BUDGET_OVER)

    def read(self, arrived: Sequence[Settled]) -> None:
        """From outcomes to results, which stay in hand until they are committed."""
        now = clock.now()
        hand, latest, sent, attentive = self._hand, self._latest, State.SENT, self._gate.attentive
        lease, results = -1, None
        for row, outcome in arrived:
            hand.open.pop(row.id, None)
            # By far the most, so they go through as little as possible.
            if outcome.__class__ is Accepted:
                reply = outcome.reply
                if attentive:
                    self._gate.settled(row, outcome)
                latest.append(False)
                if row.epoch != lease:
                    lease, results = row.epoch, hand.results_of(row.epoch)
                if results is not None:
                    results.append(Result(row.id, sent, "", "", None, reply.code, reply.status, reply.text, row.epoch))
                continue
            attentive = True
            match outcome:
                case RenderProblem(detail):
                    self._hand.settle(skipped(row, Delivery.SkipReason.RENDER_ERROR, detail))
                case ComposeFailed(error):
                    self.fault = self.fault or error
                    self._not_tried(row)
                case _:
                    self._gate.settled(row, outcome)
                    self._refused(row, outcome, now)
        if self._dead:
            suppress_dead(self._dead)
            self._dead = {}
        if self._gate.refused_by_relay and not self.standstill:
            self.standstill = Standstill(str(self._gate.refused_by_relay), SENDER_REFUSED)

    def failing(self) -> tuple[int, int]:
        """Failures and attempts among the latest recipients."""
        return sum(self._latest), len(self._latest)

    def _refused(self, row: Leased, outcome: Outcome, now: datetime) -> None:
        decision = decide(row, outcome, now)
        result = decision.result
        if result.state == State.PENDING:
            self._not_tried(row)
        else:
            self._hand.settle(result)
        if result.state == State.FAILED:
            self._latest.append(True)
        if decision.dead_address:
            self._dead[row.address_key] = f"{result.code} {result.status} {result.text}"
        self.standstill = self.standstill or decision.standstill

    def _not_tried(self, row: Leased) -> None:
        """Suppressed meanwhile, or to be sent another time."""
        if row.id in self.taken_back:
            self._hand.settle(skipped(row, self.taken_back[row.id]))
        elif row.epoch in self._hand.batches:
            self._hand.returned.append(row)
