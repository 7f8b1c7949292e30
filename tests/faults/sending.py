"""What the tests of killed senders run in processes of their own: `python -m tests.faults.sending VERB …`."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta

import django

django.setup()

from envoi.core import clock  # noqa: E402
from envoi.delivery.actions.watch import watch  # noqa: E402
from envoi.delivery.models import Mailing  # noqa: E402
from envoi.delivery.queries import roster  # noqa: E402
from envoi.delivery.shifts.work import work  # noqa: E402
from envoi.delivery.tests.composing import Plain  # noqa: E402
from envoi.delivery.tests.factories import make_mailing, make_transport  # noqa: E402


def seed(port: str, number: str) -> None:
    """A mailing to so many people, over a server on this port."""
    transport = make_transport(port=int(port), max_connections=4)
    make_mailing(*(f"p{index:05}@example.net" for index in range(int(number))), transport=transport)


def send() -> None:
    """Shifts until the mailing is finished."""
    with Plain().registered():
        while Mailing.objects.get().state == Mailing.State.RUNNING:
            work(Mailing.objects.get().pk)


def send_crowded() -> None:
    """One shift beside others of the same mailing, which the roster would not allow."""
    roster.sign_on = lambda worker, mailing: 2
    with Plain().registered():
        work(Mailing.objects.get().pk)


def look(minutes_later: str) -> None:
    """What the watchdog does so many minutes later."""
    clock._source = lambda: datetime.now(UTC) + timedelta(minutes=float(minutes_later))
    watch()


def report() -> None:
    """The state of each address, and of the mailing."""
    mailing = Mailing.objects.get()
    rows = {row.address: row.state for row in mailing.deliveries.all()}
    tallied: dict[str, int] = {}
    for tally in mailing.tallies.all():
        tallied[tally.state] = tallied.get(tally.state, 0) + tally.count
    sys.stdout.write(json.dumps({"mailing": mailing.state, "rows": rows, "tallied": tallied}))


if __name__ == "__main__":
    verbs = {"seed": seed, "send": send, "send-crowded": send_crowded, "look": look, "report": report}
    verbs[sys.argv[1]](*sys.argv[2:])
