"""One worker's shift for one mailing: lease, look up, mark, hand over, write down.

Guarantees: no message is offered to a server before its row is committed as handed over; a worker has at most `WINDOW`
about to be sent (`window.py`); the next lease is taken and the last answers are written down while the present ones are
on their way; no transaction is open while the network is waited for; suppressions, the operator's word and transport
are looked at every second, for messages that wait too. Statements depend on batches, never on recipients.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction

from envoi.core import clock
from envoi.core.database_sessions import is_gone
from envoi.core.tasks import ending
from envoi.delivery.actions.mailing import pause, pause_for_fault, stopped_by_failures
from envoi.delivery.actions.standstill import pause_transport
from envoi.delivery.composers import Compose
from envoi.delivery.limits.gate import Gate
from envoi.delivery.machine import elapsed
from envoi.delivery.models import Mailing, Transport
from envoi.delivery.queries import leases, roster, standing, turns
from envoi.delivery.queries.progress import failing_share
from envoi.delivery.queries.results import settle
from envoi.delivery.shifts.answers import BUDGET_OVER, Answers
from envoi.delivery.shifts.batches import Hand
from envoi.delivery.shifts.decisions import put_off, skipped
from envoi.delivery.shifts.jobs import Settled
from envoi.delivery.shifts.line import Line
from envoi.delivery.shifts.window import WINDOW, Reach
from envoi.delivery.smtp import SenderRefused

logger = logging.getLogger("envoi.delivery")

BATCH = 1000
# So few rows in hand make the worker take the next lease.
LOW = 300
FLUSH = 0.1
# Less than the second within which a suppression must be read before MAIL.
LOOK = 0.75
# Nothing is offered to the server when the lease has less than the margin left.
RENEW = LEASE_MARGIN = leases.LEASE.total_seconds() / 4
TROUBLE = 0.5
BUDGET_SHARE = 0.2


class Shift:
    """See the module. Lives in one thread; `line` has its own."""

    def __init__(
        self, mailing: Mailing, transport: Transport, worker: str, compose: Compose, line: Line, seconds: float
    ) -> None:
        self.mailing, self.transport, self.worker = mailing, transport, worker
        self._began = clock.now()
        self.more: datetime | None = None
        self.all_written = True
        self._compose = compose
        self._line = line
        self._reach = Reach(line.connections, in_journal=line.window_in_journal)
        self._standing = standing.Standing(mailing, transport)
        self._gate, self._hand = Gate(mailing, transport, worker), Hand()
        self._ends = elapsed() + seconds
        self._going, self._dry = True, False
        self._answers = Answers(self._hand, self._gate)
        self._arrived: list[Settled] = []
        self._next_at: datetime | None = None
        self._trouble_since: float | None = None
        self._looked = elapsed()
        self._line.looked(self._looked)
        self._lease_from(self._looked)

    def run(self) -> None:
        """Send until the time is over, nothing is due, or somebody says stop. `more` then says when to go on."""
        while True:
            try:
                self._look_around()
                self._write_down_and_send()
                self._act_on_standstill()
                self._get_ready()
            except OperationalError as error:
                self._bear(error)
                continue
            self._trouble_since = None
            if self._over():
                break
            self._wait()
        if self._going and (self._hand.ready or not self._dry):
            self.more = max(clock.now(), self._next_at or clock.now())
        elif self._going:
            self.more = self._gate.waits_until

    def give_back(self) -> None:
        """Write down what is known and return what was leased and not handed over, also after an error.

        A lease of which something is open even now is left to whoever reads the journal, or waits until it runs out.
        """
        self._arrived += self._line.outcomes(0, len(self._hand.open))
        self._judge()
        self._hand.put_back()
        for number, batch in list(self._hand.batches.items()):
            is_open = any(row.epoch == number for row in self._hand.open.values())
            waits_from = self._hand.waits_from(number)
            with transaction.atomic():
                done = settle(batch.held, batch.results, end=not is_open and waits_from is None)
                self._remember(done.written == len(batch.results) and not is_open)
                if done.mine and not is_open and waits_from is not None:
                    leases.release(batch.held, waits_from)
        self._gate.close()

    def _remember(self, written: bool) -> None:
        self.all_written = self.all_written and written

    def _bear(self, error: OperationalError) -> None:
        """Wait for a database that is away or locked, as long as the lease lasts: answers that came are kept."""
        now = elapsed()
        self._trouble_since = self._trouble_since or now
        if is_gone(connection):
            # Another server may take over that missed the last moments: the turn ends, and its journal is read first.
            self._ends, self.all_written = min(self._ends, now), False
        if now - self._trouble_since > leases.LEASE.total_seconds() - LEASE_MARGIN:
            raise error
        logger.warning("The database does not answer, sending waits: %s", error)
        if not connection.in_atomic_block:
            connection.close()
        time.sleep(TROUBLE)

    # Looking around, once a second.

    def _look_around(self) -> None:
        now = elapsed()
        if now - self._looked < LOOK:
            return
        self.mailing = self._standing.look()
        self._gate.look(self.mailing, self.transport)
        if turns.is_over(self.worker, self.mailing, self.transport, self._began):
            self._ends = now
        if self.mailing.state != Mailing.State.RUNNING or self.transport.paused_at:
            self._stop()
        self._take_back_hindered()
        self._line.looked(now)
        self._looked = now
        failures, attempts = failing_share(self.mailing, BUDGET_OVER)
        self._check_budget(failures, attempts)
        if now - self._renewed >= RENEW:
            self._renew()

    def _stop(self) -> None:
        self._going = False
        self._line.hold()

    def _take_back_hindered(self) -> None:
        """Also those that wait: so each was looked at within the second before its MAIL."""
        hand = self._hand
        hand.put_back()
        keys = {row.address_key for row in hand.open.values()} | {row.address_key for row, _ in hand.ready}
        hindered = leases.hindered(self.mailing.purpose, keys) if keys else {}
        if not hindered:
            return
        for row in hand.open.values():
            if row.address_key in hindered:
                self._answers.taken_back[row.id] = hindered[row.address_key]
        self._line.take_back(self._answers.taken_back)
        for row, _ in hand.ready:
            if row.address_key in hindered:
                hand.settle(skipped(row, hindered[row.address_key]))
        hand.ready = deque(item for item in hand.ready if item[0].address_key not in hindered)

    def _renew(self) -> None:
        asked = elapsed()
        for lease in set(self._hand.batches) - leases.renew(self.worker):
            self._lose(lease)
        roster.stay_on(self.worker)
        self._lease_from(asked)

    def _lose(self, lease: int) -> None:
        """Somebody concluded that we were dead: offer nothing more of it, and let the journal say what we know."""
        self._line.take_back(self._hand.lose(lease))
        self.all_written = False

    def _lease_from(self, moment: float) -> None:
        """The leases count from before they were asked for: the database may have taken its time."""
        self._renewed = moment
        self._line.lease_until(moment + leases.LEASE.total_seconds() - LEASE_MARGIN)

    def _check_budget(self, failures: int, attempts: int) -> None:
        if self._going and attempts >= BUDGET_OVER and failures > attempts * BUDGET_SHARE:
            pause(self.mailing, actor=None, reason=stopped_by_failures(failures, attempts))
            self._stop()

    # Getting ready.

    def _taking(self) -> bool:
        return self._going and elapsed() < self._ends and not ending.stopping()

    def _get_ready(self) -> None:
        if self._dry or len(self._hand.ready) >= LOW or not self._taking():
            return
        size = self._gate.portion(self._hand.wanted(WINDOW, BATCH), self._ends - elapsed())
        held = leases.claim(self.mailing, self.worker, size, self.transport) if size else None
        if held is None:
            self._dry = True
            return
        rows = [row for row in held.rows if row.id not in held.hindered] if held.hindered else held.rows
        try:
            self._hand.take(held, rows, self._compose.load(rows))
        except OperationalError:
            leases.release(held, held.rows[0].id)
            raise
        except Exception as error:
            leases.release(held, held.rows[0].id)
            pause_for_fault(self.mailing, error)
            self._stop()
            return
        for row in held.rows if held.hindered else ():
            if row.id in held.hindered:
                self._hand.settle(skipped(row, held.hindered[row.id]))

    # Writing down and sending.

    def _write_down_and_send(self) -> None:
        self._judge()
        hand = self._hand
        if not self._taking():
            hand.put_back()
            self._line.recall()
        elif not hand.chosen:
            self._choose()
        batches = hand.to_be_written()
        if not batches:
            return
        lost = set()
        # Each lease by itself: of two in one transaction two workers could wait for each other's tallies.
        for batch in batches:
            done = settle(batch.held, batch.results, offered_to=batch.offer, end=batch.done)
            self._remember(done.written == len(batch.results))
            if not done.mine or done.offered_to < batch.offer:
                lost.add(batch.held.id)
            hand.written(batch)
        for lease in lost:
            self._lose(lease)
        self._line.put(hand.hand_over())

    def _judge(self) -> None:
        arrived, self._arrived = self._arrived, []
        self._answers.read(arrived)
        self._reach.follow(len(arrived), limited=self._gate.limited)
        self._line.handful = self._reach.refill
        if self._answers.fault and self._going:
            pause_for_fault(self.mailing, self._answers.fault)
            self._stop()
        self._check_budget(*self._answers.failing())

    def _choose(self) -> None:
        """Rows for the window, when few are on the way."""
        hand = self._hand
        room = self._reach.most - len(hand.open) - len(hand.returned)
        if not hand.ready or self._answers.standstill or (room < self._reach.refill and hand.open):
            return
        rows = hand.next(2 * room)
        admission = self._gate.admit(rows, room)
        hand.choose(len(rows) - admission.left, admission.go)
        for row, until, why in admission.put_off:
            hand.settle(put_off(row, until, why))
        self._next_at = admission.next_at

    def _act_on_standstill(self) -> None:
        why = self._answers.standstill
        if why and self._going:
            pause_transport(self.transport, reason=why.reason, retry_after=why.retry_after, actor=None)
            self._stop()

    def _over(self) -> bool:
        hand = self._hand
        if hand.open or self._arrived or hand.chosen or hand.to_be_written():
            return False
        if not self._taking():
            return True
        if hand.ready:
            out_of_reach = clock.now() + timedelta(seconds=self._ends - elapsed())
            return self._next_at is not None and self._next_at > out_of_reach
        return self._dry

    def _wait(self) -> None:
        """For answers: most of a window or a tenth of a second's worth; without any on the way, for a slot."""
        until, on_the_way, refused = elapsed() + FLUSH, self._hand.open, False
        while on_the_way and not refused and len(self._arrived) < min(self._reach.refill, len(on_the_way)):
            left = until - elapsed()
            if left <= 0:
                return
            found = self._line.outcomes(left, self._reach.most)
            refused = any(outcome.__class__ is SenderRefused for _, outcome in found)
            self._arrived += found
        if not on_the_way and self._hand.ready and self._next_at is not None:
            time.sleep(min(0.2, max(0.0, (self._next_at - clock.now()).total_seconds())))
