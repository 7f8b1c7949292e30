"""One broadcast of `bench send`, from pressing Send to “finished”, and the personal messages while another one runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean

from django.db.models import Count

from envoi.audiences.models import List
from envoi.audiences.queries import Targets
from envoi.broadcasts.actions import draft
from envoi.broadcasts.actions.send import send
from envoi.broadcasts.models import Broadcast
from envoi.cli.bench.send import postfix
from envoi.cli.bench.send.letter import Letter
from envoi.cli.bench.send.meter import Meter
from envoi.cli.bench.send.postfix import Reference, Sink
from envoi.cli.bench.send.readers import DOMAIN
from envoi.cli.faults import Stop
from envoi.core import clock
from envoi.customers.actions import signing_in
from envoi.customers.composer import REFERENCE
from envoi.delivery import composers
from envoi.delivery.composers import Leased, Message
from envoi.delivery.models import Delivery, Mailing

STALLED = 60.0
SAMPLE = 100
# Between two personal messages.
APART = 0.5
EVERY = 0.01


@dataclass(frozen=True, slots=True)
class Round:
    """What one broadcast took.

    Attributes:
        cpu: part → seconds of the processor.
    """

    seconds: float
    freeze_seconds: float
    cpu: dict[str, float]


@dataclass(slots=True)
class Bench:
    """What the rounds share. `tick` looks after the senders and the meter, and takes a tenth of a second at most."""

    letter: Letter
    everybody: List
    people: int
    sink: Sink
    meter: Meter
    tick: Callable[[], None]

    @property
    def own_pid(self) -> int:
        """The process that presses Send."""
        return os.getpid()

    def written(self) -> Broadcast:
        """A draft for everybody."""
        made = draft.create("email", actor=None, **self.letter)
        return draft.change_targets(made, Targets(lists=(self.everybody.pk,)), Targets(), actor=None)

    def broadcast(self) -> Round:
        """Send it, wait until it is finished, and see that everybody got it, by the ledger and by the sink.

        Raises:
            Stop: somebody did not, or nothing moves any more.
        """
        made, arrived = self.written(), self.sink.messages()
        self.meter.look()
        before, own, began = self.meter.seconds(), time.process_time(), clock.now()
        mailing = send(made, actor=None)
        frozen, freeze = (clock.now() - began).total_seconds(), time.process_time() - own
        self.until_finished(mailing)
        self.meter.look()
        cpu = {part: seconds - before.get(part, 0.0) for part, seconds in self.meter.seconds().items()}
        cpu["freeze"] = freeze
        self.check(mailing, arrived)
        assert mailing.finished_at is not None  # noqa: S101 - checked above
        return Round((mailing.finished_at - began).total_seconds(), frozen, cpu)

    def until_finished(self, mailing: Mailing) -> None:
        """Wait, as long as something moves."""
        arrived, since = -1, time.monotonic()
        while mailing.state == Mailing.State.RUNNING:
            self.tick()
            if (now := self.sink.messages()) != arrived:
                arrived, since = now, time.monotonic()
            if time.monotonic() - since > STALLED:
                raise Stop(f"nothing was sent for {STALLED:.0f} seconds; {arrived:,} messages had arrived")
            mailing.refresh_from_db()

    def check(self, mailing: Mailing, arrived_before: int, besides: int = 0) -> None:
        """A bench that counts what was not sent would lie."""
        found = dict(mailing.deliveries.values_list("state").annotate(number=Count("id")).order_by())
        if mailing.state != Mailing.State.FINISHED or found != {Delivery.State.SENT: self.people}:
            raise Stop(f"the broadcast ended as {mailing.state} ({mailing.state_reason}) with {found}")
        expected = self.people + besides
        arrived = self.sink.settled(arrived_before + expected) - arrived_before
        if arrived != expected:
            raise Stop(f"the ledger says {expected:,} messages, smtp-sink counted {arrived:,}")

    def reference(self, connections: int, size: int) -> Reference:
        """Let smtp-source send as many messages.

        Raises:
            Stop: not all of them arrived.
        """
        return postfix.reference(self.sink, connections, self.people, size)

    def size(self, mailing: Mailing) -> int:
        """How long its messages are, in bytes: the mean of some of them, written once more."""
        compose = composers.named(mailing.composer).open(mailing)
        rows = [
            Leased(row.pk, row.key, row.address, row.address_key, row.contact_id, 0, clock.now())
            for row in mailing.deliveries.order_by("id")[:SAMPLE]
        ]
        written = [compose.write(row, loaded) for row, loaded in zip(rows, compose.load(rows), strict=True)]
        return round(fmean(len(one.data) for one in written if isinstance(one, Message)))

    def personal(self) -> list[float]:
        """Seconds that each personal message took, from being ordered until the sink had it, while a broadcast runs."""
        arrived = self.sink.messages()
        waits: list[float] = []
        mailing = send(self.written(), actor=None)
        while mailing.state == Mailing.State.RUNNING:
            waits.append(self.personal_message(len(waits) + 1))
            until = time.monotonic() + APART
            while time.monotonic() < until:
                self.tick()
            mailing.refresh_from_db()
        self.check(mailing, arrived, besides=len(waits))
        return waits

    def personal_message(self, number: int) -> float:
        """Order the link by which a customer signs in, and wait until it is written down as sent.

        Raises:
            Stop: it was not sent.
        """
        began = time.monotonic()
        made = signing_in.send(f"reader{(number - 1) % self.people + 1}@{DOMAIN}", "en")
        if made is None:
            raise Stop("a sign-in link was refused: too few people for so many")
        # By its id: looked for by its mailing, PostgreSQL read the whole ledger each time.
        own = Mailing.objects.values_list("first_id", flat=True).get(reference=f"{REFERENCE}{made.pk}")
        row = Delivery.objects.filter(pk=own)
        while (state := row.values_list("state", flat=True).get()) != Delivery.State.SENT:
            if time.monotonic() - began > STALLED:
                raise Stop(f"a personal message was not sent within {STALLED:.0f} seconds; it is {state}")
            time.sleep(EVERY)
        return time.monotonic() - began
