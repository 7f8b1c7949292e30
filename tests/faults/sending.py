"""What the tests of killed senders run in processes of their own: `python -m tests.faults.sending VERB …`."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

django.setup()

from django.db import InterfaceError, OperationalError, connections  # noqa: E402

from envoi.core import clock  # noqa: E402
from envoi.core.tasks import ending  # noqa: E402
from envoi.delivery import machine  # noqa: E402
from envoi.delivery.actions.restored import begin  # noqa: E402
from envoi.delivery.actions.watch import watch  # noqa: E402
from envoi.delivery.models import Lease, Mailing  # noqa: E402
from envoi.delivery.queries import roster  # noqa: E402
from envoi.delivery.queries.leases import Held  # noqa: E402
from envoi.delivery.queries.ranges import show_who_is_being_sent  # noqa: E402
from envoi.delivery.queries.results import Result, Settled, settle  # noqa: E402
from envoi.delivery.shifts import shift  # noqa: E402
from envoi.delivery.shifts.window import Reach  # noqa: E402
from envoi.delivery.shifts.work import work  # noqa: E402
from envoi.delivery.tests.composing import Plain  # noqa: E402
from envoi.delivery.tests.factories import make_mailing, make_transport  # noqa: E402


def seed(port: str, number: str) -> None:
    """A mailing to so many people, over a server on this port, where others have been sent before."""
    begin()
    # One stays free for personal mail.
    transport = make_transport(port=int(port), max_connections=5)
    make_mailing(*(f"p{index:05}@example.net" for index in range(int(number))), transport=transport)


def send() -> None:
    """Shifts until the mailing is finished; how things stand then."""
    with Plain().registered():
        while Mailing.objects.get().state == Mailing.State.RUNNING:
            work(Mailing.objects.get().pk)
    report()


def send_big() -> None:
    """The same with messages that no buffer on the way holds."""
    with Plain(12_000_000).registered():
        work(Mailing.objects.get().pk)


def send_forgetful() -> None:
    """A shift that hears the answers but never comes to writing them down."""

    def stuck(held: Held, results: Sequence[Result], **window: Any) -> Settled:
        if results:
            time.sleep(3600)
        return settle(held, results, **window)

    setattr(shift, "settle", stuck)  # noqa: B010
    with Plain().registered():
        work(Mailing.objects.get().pk)


def send_ahead() -> None:
    """The same, where the journal keeps the window with as much handed over as to the fastest relay."""
    follow = Reach.follow

    def at_most(reach: Reach, settled: int, *, limited: bool) -> None:
        follow(reach, 10_000, limited=limited)

    setattr(Reach, "follow", at_most)  # noqa: B010
    send()


def send_until_told() -> None:
    """Shifts until the mailing is finished or SIGTERM comes."""
    signal.signal(signal.SIGTERM, lambda *_: ending.stop())
    with Plain().registered():
        while Mailing.objects.get().state == Mailing.State.RUNNING and not ending.stopping():
            work(Mailing.objects.get().pk)


def send_on() -> None:
    """Shifts until the mailing is finished, whatever becomes of the database meanwhile."""
    with Plain().registered():
        while True:
            try:
                mailing = Mailing.objects.get()
                if mailing.state != Mailing.State.RUNNING:
                    return
                work(mailing.pk)
            except (InterfaceError, OperationalError) as error:
                sys.stdout.write(f"{error}\n")
                connections.close_all()
            time.sleep(0.2)


def send_in_vain(room: str) -> None:
    """The same, on a disk on which no file can grow beyond so many bytes; ends when a shift gives up."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(room), int(room)))
    with Plain().registered():
        work(Mailing.objects.get().pk)


def lose_power() -> None:
    """The machine comes up again: what was not written to the disk is gone, and the kernel is another."""
    machine.boot_id.cache_clear()
    machine.BOOT_ID = Path("/nowhere")
    look("0")


def die_early(times: str) -> None:
    """So many senders, one after the other, each killed when it has leased rows and not yet reached the server."""
    mailing = Mailing.objects.get().pk
    with Plain().registered():
        for _ in range(int(times)):
            sender = in_a_process(lambda: work(mailing))
            while not Lease.objects.exclude(worker="").exists():
                time.sleep(0.002)
            time.sleep(random.uniform(0, 0.02))
            os.kill(sender, signal.SIGKILL)
            os.waitpid(sender, 0)
    report()


def send_crowded(number: str) -> None:
    """So many senders of one mailing, with more connections together than the roster would allow."""
    mailing = Mailing.objects.get().pk
    roster.take_connections = lambda worker, mailing, transport: 2
    with Plain().registered():
        crowd = [in_a_process(lambda: work(mailing)) for _ in range(int(number))]
        assert [os.waitpid(sender, 0)[1] for sender in crowd] == [0] * len(crowd)


def in_a_process(do: Callable[[], None]) -> int:
    """Do it in a process of its own; its number."""
    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        do()
        code = 0
    finally:
        os._exit(code)


def look(minutes_later: str) -> None:
    """How things stand, what the watchdog does so many minutes later, and how they stand then."""
    before = standing()
    clock._source = lambda: datetime.now(UTC) + timedelta(minutes=float(minutes_later))
    watch()
    sys.stdout.write(json.dumps([before, standing()]))


def report() -> None:
    """How things stand."""
    sys.stdout.write(json.dumps(standing()))


def standing() -> dict[str, object]:
    """The state of each address, the tally and the state of the mailing."""
    mailing = Mailing.objects.get()
    tallied: dict[str, int] = {}
    for tally in mailing.tallies.all():
        tallied[tally.state] = tallied.get(tally.state, 0) + tally.count
    deliveries = list(mailing.deliveries.all())
    show_who_is_being_sent(deliveries)
    rows = {row.address: row.state for row in deliveries}
    transport = mailing.identity.transport.paused_reason
    return {"mailing": mailing.state, "transport": transport, "rows": rows, "tallied": tallied}


if __name__ == "__main__":
    verbs: dict[str, Callable[..., None]] = {
        "seed": seed,
        "send": send,
        "send-big": send_big,
        "send-forgetful": send_forgetful,
        "send-ahead": send_ahead,
        "send-until-told": send_until_told,
        "send-crowded": send_crowded,
        "die-early": die_early,
        "send-on": send_on,
        "send-in-vain": send_in_vain,
        "lose-power": lose_power,
        "look": look,
        "report": report,
    }
    verbs[sys.argv[1]](*sys.argv[2:])
