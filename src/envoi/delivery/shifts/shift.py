"""One worker's shift for one mailing: lease, load, mark, hand over, write down.

Guarantees: no message is offered to a server before its row is committed as about to be sent, of which a worker has at
most `WINDOW`; the next batch is got ready and the last one written down while the present one is on its way; no
transaction is open while the network is waited for; suppressions, the operator's word and the transport are looked at
every second, for messages that wait too. The number of statements depends on batches, never on recipients.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import OperationalError, connection, transaction

from envoi.core import clock
from envoi.core.tasks import ending
from envoi.delivery.actions.dead_addresses import suppress_dead
from envoi.delivery.actions.mailing import pause, pause_for_fault, stopped_by_failures
from envoi.delivery.actions.standstill import pause_transport
from envoi.delivery.composers import Compose, Leased, RenderProblem
from envoi.delivery.machine import elapsed
from envoi.delivery.models import Delivery, Mailing, Transport
from envoi.delivery.queries import leases, pace, roster, turns
from envoi.delivery.queries.progress import failing_share
from envoi.delivery.queries.results import Result, settle
from envoi.delivery.shifts.decisions import Standstill, decide, skipped, untried
from envoi.delivery.shifts.line import ComposeFailed, Job, Line, Settled

logger = logging.getLogger("envoi.delivery")

State = Delivery.State

WINDOW = 100
BATCH = 200
FLUSH = 0.1
LOOK = 1.0
RENEW = leases.LEASE.total_seconds() / 4
# Nothing is offered to the server when the lease has less than this left.
LEASE_MARGIN = leases.LEASE.total_seconds() / 4
TROUBLE = 0.5
SLOTS_AHEAD = timedelta(seconds=1)
BUDGET_OVER = 200
BUDGET_SHARE = 0.2


class Shift:
    """See the module. Lives in one thread; `line` has its own."""

    def __init__(
        self, mailing: Mailing, transport: Transport, worker: str, compose: Compose, line: Line, seconds: float
    ) -> None:
        self.mailing = mailing
        self.transport = transport
        self._began = clock.now()
        self.worker = worker
        self.more: datetime | None = None
        self._compose = compose
        self._line = line
        self._ends = elapsed() + seconds
        self._going = True
        self._dry = False
        self._ready: deque[tuple[Leased, Any]] = deque()
        self._open: dict[int, Leased] = {}
        self._arrived: list[Settled] = []
        self._results: list[Result] = []
        self._taken_back: dict[int, Delivery.SkipReason] = {}
        self._standstill: Standstill | None = None
        self._latest: deque[bool] = deque(maxlen=BUDGET_OVER)
        self._next_slot: datetime | None = None
        self._trouble_since: float | None = None
        self.all_written = True
        self._looked = elapsed()
        self._lease_from(self._looked)

    def run(self) -> None:
        """Send until the time is over, nothing is due, or somebody says stop. `more` then says when to go on."""
        while True:
            try:
                self._look_around()
                self._get_ready()
                self._write_down_and_send()
            except OperationalError as error:
                self._bear(error)
                continue
            self._trouble_since = None
            if self._over():
                break
            self._wait()
        if self._going and not self._dry:
            self.more = max(clock.now(), self._next_slot or clock.now())

    def give_back(self) -> None:
        """Write down what is known and return what was leased and not handed over, also after an error.

        What is open even now stays in doubt until the watchdog decides.
        """
        self._arrived += self._line.outcomes(0, WINDOW)
        self._judge()
        self._results += [self._returned(row) for row, _ in self._ready]
        self._ready.clear()
        with transaction.atomic():
            self._settle()
        self.all_written = self.all_written and not self._open
        self._results.clear()

    def _settle(self) -> None:
        changed = settle(self.mailing, self.worker, self._results)
        self.all_written = self.all_written and len(changed) == len(self._results)

    def _bear(self, error: OperationalError) -> None:
        """Wait for a database that is away or locked, as long as the lease lasts: answers that came are kept."""
        now = elapsed()
        self._trouble_since = self._trouble_since or now
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
        self._looked = now
        self.mailing = Mailing.objects.select_related("identity__transport").get(pk=self.mailing.pk)
        self.transport.refresh_from_db()
        if turns.is_over(self.worker, self.mailing, self.transport, self._began):
            self._ends = now
        if self.mailing.state != Mailing.State.RUNNING or self.transport.paused_at:
            self._stop()
        self._take_back_hindered()
        failures, attempts = failing_share(self.mailing, BUDGET_OVER)
        self._check_budget(failures, attempts)
        if now - self._renewed >= RENEW:
            self._renew()

    def _stop(self) -> None:
        self._going = False
        self._line.hold()

    def _take_back_hindered(self) -> None:
        if waiting := {row.address_key: row.id for row in self._open.values()}:
            for key, reason in leases.hindered(self.mailing.purpose, waiting).items():
                self._taken_back[waiting[key]] = reason
            self._line.take_back(self._taken_back)

    def _renew(self) -> None:
        held, asked = {*self._open, *(row.id for row, _ in self._ready)}, elapsed()
        if lost := held - leases.renew(self.worker, held):
            self._line.take_back(lost)
            self._ready = deque(item for item in self._ready if item[0].id not in lost)
        roster.stay_on(self.worker)
        self._lease_from(asked)

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
        if not self._taking() or self._dry or len(self._ready) >= WINDOW:
            return
        rows = leases.claim(self.mailing, self.worker, self._portion())
        self._dry = not rows
        self._prepare(rows)

    def _portion(self) -> int:
        """No more than can leave in this shift at the transport's rate: what is leased, nobody else can send."""
        step = pace.interval(self.transport).total_seconds()
        return min(BATCH, int((self._ends - elapsed()) / step) + 1) if step else BATCH

    def _prepare(self, rows: list[Leased]) -> None:
        try:
            loaded = self._compose.load(rows) if rows else []
        except OperationalError:
            self._results += map(self._returned, rows)
            raise
        except Exception as error:
            self._cannot_compose(error)
            self._results += map(self._returned, rows)
            return
        self._ready.extend(zip(rows, loaded, strict=True))

    def _cannot_compose(self, error: Exception) -> None:
        pause_for_fault(self.mailing, error)
        self._stop()

    def _uncomposed(self, row: Leased, why: RenderProblem | ComposeFailed) -> Result:
        if isinstance(why, RenderProblem):
            return skipped(row, Delivery.SkipReason.RENDER_ERROR, why.detail)
        self._cannot_compose(why.error)
        return self._returned(row)

    # Writing down and sending.

    def _write_down_and_send(self) -> None:
        self._judge()
        slots = self._slots()
        if not self._results and not slots:
            return
        chosen = list(islice(self._ready, len(slots)))
        with transaction.atomic():
            self._settle()
            hindered = leases.hindered(self.mailing.purpose, [row.address_key for row, _ in chosen]) if chosen else {}
            allowed = [row for row, _ in chosen if row.address_key not in hindered]
            marked = leases.open_window(self.worker, allowed) if allowed else set()
        for _ in chosen:
            self._ready.popleft()
        self._results = [skipped(row, hindered[row.address_key]) for row, _ in chosen if row.address_key in hindered]
        timed = zip(chosen, slots, strict=True)
        self._hand_over((row, loaded, slot) for (row, loaded), slot in timed if row.id in marked)
        self._act_on_standstill()

    def _judge(self) -> None:
        """From outcomes to results, which stay until they are committed."""
        now = clock.now()
        dead: dict[str, str] = {}
        for row, outcome in self._arrived:
            del self._open[row.id]
            if isinstance(outcome, RenderProblem | ComposeFailed):
                self._results.append(self._uncomposed(row, outcome))
                continue
            decision = decide(row, outcome, now)
            result = decision.result
            if result.state == State.PENDING:
                result = self._returned(row)
            elif result.state in (State.SENT, State.FAILED):
                self._latest.append(result.state == State.FAILED)
            self._results.append(result)
            if decision.dead_address:
                dead[row.address_key] = f"{result.code} {result.status} {result.text}"
            self._standstill = self._standstill or decision.standstill
        self._arrived = []
        if dead:
            suppress_dead(dead)
        self._check_budget(sum(self._latest), len(self._latest))

    def _slots(self) -> list[datetime]:
        """When each of the next messages may leave; none while the window is more than half full."""
        room = WINDOW - len(self._open)
        if not self._ready or not self._taking() or self._standstill or (self._open and room < WINDOW // 2):
            return []
        slots, self._next_slot = pace.reserve(self.transport, min(room, len(self._ready)), SLOTS_AHEAD)
        return slots

    def _hand_over(self, items: Iterable[tuple[Leased, Any, datetime]]) -> None:
        now, moment = clock.now(), elapsed()
        jobs = [Job(row, more, moment + max(0.0, (slot - now).total_seconds())) for row, more, slot in items]
        self._open.update((job.row.id, job.row) for job in jobs)
        if jobs:
            self._line.put(jobs)

    def _act_on_standstill(self) -> None:
        if self._standstill and self._going:
            why = self._standstill
            pause_transport(self.transport, reason=why.reason, retry_after=why.retry_after, actor=None)
            self._stop()

    def _returned(self, row: Leased) -> Result:
        """A row that was surely not tried: suppressed meanwhile, cancelled, or to be sent another time."""
        if row.id in self._taken_back:
            return skipped(row, self._taken_back[row.id])
        if self.mailing.state == Mailing.State.CANCELLED:
            return skipped(row, Delivery.SkipReason.CANCELLED)
        return untried(row)

    def _over(self) -> bool:
        if self._open or self._arrived or self._results:
            return False
        if not self._taking():
            return True
        if self._ready:
            out_of_reach = clock.now() + timedelta(seconds=self._ends - elapsed())
            return self._next_slot is not None and self._next_slot > out_of_reach
        return self._dry

    def _wait(self) -> None:
        """For answers: half a window of them or a tenth of a second's worth; without any on the way, for a slot."""
        until = elapsed() + FLUSH
        while self._open and len(self._arrived) < min(WINDOW // 2, len(self._open)):
            left = until - elapsed()
            if left <= 0:
                return
            self._arrived += self._line.outcomes(left, WINDOW)
        if not self._open and self._ready and self._next_slot is not None:
            time.sleep(min(0.2, max(0.0, (self._next_slot - SLOTS_AHEAD - clock.now()).total_seconds())))
