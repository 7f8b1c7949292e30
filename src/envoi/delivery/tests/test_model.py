"""Several senders, a server that counts, and everything that goes wrong, in an order that chance makes.

No thread and no waiting: each step is one sender's round, one answer, one death, one word of an operator, or time that
passes. After each step the promise is checked as far as it can be, and all of it at the end.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from django.db import OperationalError, connection, transaction

from envoi.contacts.models import Suppression
from envoi.core import clock
from envoi.delivery import journal as journals
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.actions.replay import folder, replay, replay_all
from envoi.delivery.actions.watch import take_back, watch
from envoi.delivery.composers import Leased, RenderProblem
from envoi.delivery.journal import Journal
from envoi.delivery.limits.gate import Admission, Gate
from envoi.delivery.machine import boot_id
from envoi.delivery.models import Delivery, Lease, Mailing, Transport
from envoi.delivery.queries import roster
from envoi.delivery.queries.results import Settled as Written
from envoi.delivery.queries.results import settle
from envoi.delivery.queries.tallies import COUNTED
from envoi.delivery.shifts import shift as shifts
from envoi.delivery.shifts import window as windows
from envoi.delivery.shifts import work
from envoi.delivery.shifts.jobs import Job, Settled
from envoi.delivery.shifts.line import FRESH, Line
from envoi.delivery.shifts.shift import Shift
from envoi.delivery.shifts.window import Window
from envoi.delivery.smtp import Accepted, Fault, FaultKind, NotSent, Phase, Refused, Reply, closed, withheld
from envoi.delivery.smtp import Unknown as NoAnswer
from envoi.delivery.tests.composing import Plain
from envoi.delivery.tests.factories import make_mailing, make_transport, suppress

pytestmark = pytest.mark.django_db

Row = Delivery.State
PEOPLE = 30
WINDOW, HANDED, BATCH, LOW = 4, 9, 7, 2
STEPS = 120
SEEDS = 5


class World:
    """Time, the server's own count, and who is suppressed since when."""

    def __init__(self, seed: int, *, in_journal: bool) -> None:
        self.chance = random.Random(seed)
        self.in_journal = in_journal
        self.began = clock.now()
        self.passed = 0.0
        self.accepted: Counter[int] = Counter()
        self.left_at: dict[str, float] = {}
        self.kind = False
        self.lost: list[Path] = []
        transport = make_transport(max_connections=50)
        self.mailing = make_mailing(*(f"p{number:02}@example.net" for number in range(PEOPLE)), transport=transport)
        self.senders: list[Sender] = []
        self.numbers = iter(range(10_000))

    def elapsed(self) -> float:
        return self.passed

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self.passed)

    def meanwhile(self, sender: Sender) -> None:
        """What others do between two moves of a sender; or it stood still, and they took it for dead."""
        while not self.kind and self.chance.random() < 0.25:
            sender.line.offer()
        if not self.kind and self.chance.random() < 0.05:
            self.passed += self.chance.choice([0.1, 1.5, 70])
            operator(self, self.chance.uniform(0.86, 1))

    @contextmanager
    def trouble(self) -> Iterator[None]:
        """At times the database is away at one of the next statements."""
        left = [self.chance.randint(1, 8) if not self.kind and self.chance.random() < 0.05 else -1]

        def look(execute: Any, statement: str, *rest: Any) -> Any:
            if statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT")):
                left[0] -= 1
                if left[0] == 0:
                    raise OperationalError("away")
            return execute(statement, *rest)

        try:
            with connection.execute_wrapper(look):
                yield
        except OperationalError:
            # The statement did not run, so the transaction around the test is still whole.
            transaction.set_rollback(False)
            raise

    def slow(self, *arguments: Any, **window: Any) -> Written:
        """The database takes its time with writing down; others go by the clock meanwhile."""
        if not self.kind and self.chance.random() < 0.10:
            self.passed += 70
            take_back()
        return settle(*arguments, **window)

    def fresh(self) -> Mailing:
        return Mailing.objects.select_related("identity__transport").get(pk=self.mailing.pk)


class Server:
    """What the line's thread does, one message at a time, whenever the model lets it."""

    def __init__(self, world: World, journal: Journal, worker: str) -> None:
        self.connections = 4
        self.world, self.journal, self.worker = world, journal, worker
        self.window_in_journal, self.window = journal.keeps_window, Window(journal, self.connections)
        self.outside: deque[Job] = deque()
        self.waiting: list[Leased] = []
        # Offered to the end; and of these, those of whose answer the journal knows nothing.
        self.dotted: set[int] = set()
        self.untold: set[int] = set()
        self.done: list[Settled] = []
        self.taken_back: set[int] = set()
        self.ends = self.fresh_until = 0.0
        self.holding = False

    def put(self, jobs: Sequence[Job]) -> None:
        self.outside.extend(jobs)
        if self.holding:
            self.hold()
        self.let_in()

    def let_in(self) -> None:
        self.waiting += [job.row for job in self.window.let_in(self.outside)]

    def recall(self) -> None:
        if self.window_in_journal:
            self.settle_outside(withheld())

    def outcomes(self, wait: float, most: int) -> list[Settled]:
        found, self.done = self.done[:most], self.done[most:]
        return found

    def take_back(self, ids: Collection[int]) -> None:
        self.taken_back |= set(ids)

    def hold(self) -> None:
        self.holding = True
        self.settle_waiting(withheld())

    def lease_until(self, moment: float) -> None:
        self.ends = moment

    def looked(self, moment: float) -> None:
        self.fresh_until = moment + FRESH

    def settle_waiting(self, outcome: NotSent) -> None:
        for row in self.waiting:
            self.settle(row, outcome)
        self.waiting = []
        self.settle_outside(outcome)

    def settle_outside(self, outcome: NotSent) -> None:
        self.done += [(job.row, outcome) for job in self.outside]
        self.outside.clear()

    def settle(self, row: Leased, outcome: Any, *, in_journal: bool = False) -> None:
        self.done.append((row, outcome))
        self.window.settled(row, in_journal=in_journal)

    def offer(self) -> None:
        """The next message, to its outcome."""
        world = self.world
        if not self.waiting or world.passed >= self.fresh_until:
            return
        row = self.waiting.pop(0)
        if self.holding or row.id in self.taken_back or world.passed >= self.ends:
            self.settle(row, withheld())
            self.let_in()
            return
        assert world.passed - world.left_at.get(row.address_key, world.passed) <= FRESH, "mailed after leaving"
        outcome = self.answer(row)
        self.settle(row, outcome, in_journal=row.id in self.dotted)
        self.let_in()

    def answer(self, row: Leased) -> Any:
        world = self.world
        what = (
            "taken" if world.kind else world.chance.choice(["taken"] * 6 + ["later", "never", "cut", "silent", "bad"])
        )
        if what == "bad":
            return RenderProblem("no city")
        if what == "cut":
            return NotSent(Fault(FaultKind.DROPPED, "cut off"), Phase.BODY)
        if what == "later":
            return Refused(Reply(450, "4.2.0", "Later"), Phase.RCPT)
        assert Lease.objects.filter(pk=row.epoch, worker=self.worker, until__gt=clock.now()).exists(), "no lease"
        self.journal.dot(row.id, row.epoch)
        self.dotted.add(row.id)
        if what == "never":
            reply = Reply(554, "5.6.0", "Content")
            self.journal.answer(row.id, row.epoch, reply)
            return Refused(reply, Phase.DOT_SENT)
        if what == "taken" or world.chance.random() < 0.5:
            world.accepted[row.id] += 1
        if what == "silent":
            self.untold.add(row.id)
            return NoAnswer(Fault(FaultKind.DROPPED, "cut off"))
        reply = Reply(250, "2.0.0", "Taken")
        if world.chance.random() < 0.8:
            self.journal.answer(row.id, row.epoch, reply)
        else:
            self.untold.add(row.id)
        return Accepted(reply)


class Moody(Gate):
    """Puts some rows off, and lets none through at times."""

    world: World

    def admit(self, rows: Sequence[Leased], room: int) -> Admission:
        chance = self.world.chance
        if self.world.kind or chance.random() < 0.6:
            return super().admit(rows, room)
        go: list[tuple[Leased, float]] = []
        off: list[tuple[Leased, datetime, str]] = []
        for row in rows:
            if len(go) >= room or chance.random() < 0.1:
                break
            if chance.random() < 0.3:
                off.append((row, clock.now() + timedelta(seconds=chance.choice([1, 5, 30])), "slow"))
            else:
                go.append((row, 0.0))
        return Admission(go, off, len(rows) - len(go) - len(off), None)


class Sender:
    """One process amid a shift."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.worker = f"host:{next(world.numbers)}"
        mailing = world.fresh()
        transport = mailing.identity.transport
        self.journal = Journal(folder(), self.worker, mailing.key, keeps_window=world.in_journal)
        roster.sign_on(self.worker, mailing, transport)
        self.line = Server(world, self.journal, self.worker)
        compose = Plain().open(mailing)
        self.shift = Shift(mailing, transport, self.worker, compose, cast("Line", self.line), 25.0)
        Moody.world = world
        self.shift._gate = self.shift._answers._gate = Moody(mailing, transport, self.worker)

    def round(self) -> None:
        """As in `Shift.run`; ends the shift when it is over."""
        shift = self.shift
        for does in (shift._look_around, shift._write_down_and_send, shift._act_on_standstill, shift._get_ready):
            with self.world.trouble():
                does()
            self.world.meanwhile(self)
        if shift._over():
            self.end()
        else:
            shift._arrived += self.line.outcomes(0, HANDED)

    def end(self) -> None:
        """As in `work._turn`: finish what is on its way, give back, hand over."""
        self.world.senders.remove(self)
        written = False
        try:
            self.line.settle_waiting(closed())
            self.shift.give_back()
            written = self.shift.all_written
        finally:
            self.journal.close(keep=not written)
        roster.sign_off(self.worker)
        if not written:
            replay(self.journal.path)
        work._goes_on(self.shift)

    def die(self, chance: float) -> None:
        """Killed; or its machine is gone, and comes back when the model says so; or that has lost its power."""
        self.world.senders.remove(self)
        if chance < 0.3:
            away = self.journal.path.with_suffix(".away")
            self.journal.path.rename(away)
            self.world.lost.append(away)
        self.journal.close(keep=True)
        if chance > 0.7:
            self.lose_power()

    def lose_power(self) -> None:
        """Of the journal only that is left for which somebody waited."""
        data = self.journal.path.read_bytes()
        kept = data[: data.index(b"\n", data.rfind(b"\nWIN ") + 1) + 1].replace(boot_id().encode(), b"another")
        self.journal.path.write_bytes(kept)
        record = journals.read(kept)
        assert record is not None
        window = record.window if record.window is not None else dict.fromkeys(self.shift._hand.open)
        pending = set(self.world.mailing.deliveries.filter(state=Row.PENDING).values_list("pk", flat=True))
        assert len((set(window) & pending) - set(record.answers) - self.line.untold) <= WINDOW, "more than a window"


def check(world: World) -> None:
    """What holds at every moment."""
    rows = {row.pk: row for row in world.mailing.deliveries.all()}
    last = 0
    for lease in world.mailing.leases.order_by("first_id"):
        assert last < lease.first_id <= lease.last_id, "leases overlap"
        last = lease.last_id
    for one in world.senders:
        on_the_way = {row.id for row, _ in one.shift._arrived + one.line.done} | {row.id for row in one.line.waiting}
        on_the_way |= {job.row.id for job in one.line.outside}
        assert set(one.shift._hand.open) <= on_the_way, "waits for what nobody has"
    windows: Counter[str] = Counter()
    for lease in world.mailing.leases.exclude(worker=""):
        windows[lease.worker] += sum(
            lease.first_id <= pk <= lease.offered_to and row.state == Row.PENDING for pk, row in rows.items()
        )
    assert max(windows.values(), default=0) <= (HANDED if world.in_journal else WINDOW)
    counted = Counter({str(state): 0 for state in COUNTED})
    for state, number in world.mailing.tallies.values_list("state", "count"):
        counted[state] += number
    real = Counter(row.state for row in rows.values() if row.state in COUNTED)
    assert {state: number for state, number in counted.items() if number} == dict(real)
    assert max(world.accepted.values(), default=0) <= 1, "somebody got it twice"
    if world.fresh().state == Mailing.State.FINISHED:
        assert not {row.state for row in rows.values()} & set(Delivery.OPEN), "finished with open rows"


def step(world: World) -> None:
    chance = world.chance
    one = chance.choice(world.senders) if world.senders else None
    what = chance.random()
    if one is None or (what < 0.04 and len(world.senders) < 3):
        if world.fresh().state == Mailing.State.RUNNING and Transport.objects.filter(paused_at=None).exists():
            world.senders.append(Sender(world))
        else:
            operator(world, chance.uniform(0.86, 1))
    elif what < 0.45:
        one.line.offer()
    elif what < 0.78:
        with contextlib.suppress(OperationalError):
            one.round()
    elif what < 0.80:
        one.die(chance.random())
    elif what < 0.86:
        world.passed += chance.choice([0.3, 0.8, 5, 16, 70])
    else:
        operator(world, what)
    world.passed += 0.02


def operator(world: World, what: float) -> None:
    mailing, chance = world.fresh(), world.chance
    if what < 0.90:
        watch()
    elif what < 0.92:
        replay_all()
    elif what < 0.94:
        mailings.pause(mailing, actor=None)
    elif what < 0.97:
        mailings.resume(mailing, actor=None)
    elif what < 0.98:
        mailings.retry(mailing, actor=None, failed=chance.random() < 0.5)
    elif what < 0.99:
        address = f"p{chance.randrange(PEOPLE):02}@example.net"
        if not Suppression.objects.filter(address_key=address).exists():
            suppress(address)
            world.left_at[address] = world.passed
    elif what < 0.991:
        mailings.cancel(mailing, actor=None)
    elif world.lost:
        away = world.lost.pop()
        away.rename(away.with_suffix(".journal"))


def to_the_end(world: World) -> None:
    """Nothing goes wrong any more."""
    world.kind = True
    for _ in range(400):
        mailings.resume(world.fresh(), actor=None)
        watch()
        state = world.fresh().state
        if state == Mailing.State.FINISHED and not world.senders:
            break
        if state == Mailing.State.CANCELLED and not world.senders and not world.mailing.leases.exists():
            break
        if not world.senders and state == Mailing.State.RUNNING:
            world.senders.append(Sender(world))
        for one in list(world.senders):
            for _ in range(3 * HANDED):
                one.line.offer()
            one.round()
        world.passed += 0.5 if world.senders else 300.0
        check(world)
    else:
        pytest.fail("it does not come to an end")


def play(world: World, check_each: Callable[[World], None]) -> None:
    for _ in range(STEPS):
        step(world)
        check_each(world)
    to_the_end(world)
    rows = list(world.mailing.deliveries.all())
    assert not {row.state for row in rows} & set(Delivery.OPEN)
    for row in rows:
        if world.accepted[row.pk]:
            assert row.state in (Row.SENT, Row.UNKNOWN), f"{row} got it"
        elif row.state == Row.SENT:
            pytest.fail(f"{row} did not get it")
    assert not list(folder().glob("*.journal"))


@pytest.mark.parametrize("in_journal", [False, True], ids=["window in the database", "window in the journal"])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_happens_everybody_is_accounted_for_and_nobody_gets_it_twice(
    seed: int, in_journal: bool, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    settings.ENVOI_DATA = tmp_path
    world = World(seed, in_journal=in_journal)
    monkeypatch.setattr(windows, "WINDOW", WINDOW)
    monkeypatch.setattr(windows, "HANDED", HANDED)
    for name, value in (
        ("WINDOW", WINDOW),
        ("BATCH", BATCH),
        ("LOW", LOW),
        ("elapsed", world.elapsed),
        ("settle", world.slow),
    ):
        monkeypatch.setattr(shifts, name, value)
    monkeypatch.setattr("envoi.delivery.limits.gate.elapsed", world.elapsed)
    monkeypatch.setattr(clock, "_source", world.now)
    play(world, check)
