"""What the tests of returned messages run in processes of their own: `python -m tests.faults.coming_back VERB …`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import django

django.setup()

from envoi.bounces.models import KeptAside, Report  # noqa: E402
from envoi.bounces.tests.factories import accepted_mailing, path_of, report, tallied  # noqa: E402
from envoi.contacts.models import Suppression  # noqa: E402
from envoi.core import clock  # noqa: E402
from envoi.delivery.models import Delivery, Mailing  # noqa: E402
from envoi.delivery.queries import recount  # noqa: E402
from envoi.delivery.queries.leases import DOUBT  # noqa: E402
from envoi.delivery.shifts.work import work  # noqa: E402
from envoi.delivery.tests.composing import Plain  # noqa: E402
from envoi.delivery.tests.factories import make_mailing, make_transport  # noqa: E402


def send(port: str, *people: str) -> None:
    """A mailing to these people over a server on this port, until nothing more can be sent."""
    mailing = make_mailing(*people, transport=make_transport(port=int(port)))
    with Plain().registered():
        while mailing.deliveries.filter(state=Delivery.State.PENDING).exists():
            work(mailing.pk)


def doubt() -> None:
    """The worker died after the dots: of all that was sent nobody knows whether it was."""
    mailing = Mailing.objects.get()
    mailing.deliveries.filter(state=Delivery.State.SENT).update(
        state=Delivery.State.UNKNOWN, retry_at=clock.now() + DOUBT
    )
    recount(mailing)


def fill(maildir: str, number: str) -> None:
    """A mailing that was accepted, and a maildir in which each message lies that came back, twice."""
    mailing = accepted_mailing(*(f"p{index:05}@example.net" for index in range(int(number))))
    new = Path(maildir, "new")
    new.mkdir(parents=True)
    for copy in range(2):
        for row in mailing.deliveries.all():
            new.joinpath(f"{copy}.{row.pk}").write_bytes(report(row.address, sent_to=path_of(row)))


def paths() -> None:
    """The return path of each address."""
    sys.stdout.write(json.dumps({row.address: path_of(row) for row in Delivery.objects.all()}))


def standing() -> None:
    """How things stand."""
    mailing = Mailing.objects.get()
    rows = {
        row.address: [row.state, row.reply_code, row.reply_status, row.reply_text] for row in mailing.deliveries.all()
    }
    found = {
        "mailing": mailing.state,
        "rows": rows,
        "states": Counter(state for state, *_ in rows.values()),
        "tallied": tallied(mailing),
        "suppressed": sorted(Suppression.objects.values_list("address_key", flat=True)),
        "reports": Report.objects.count(),
        "kept_aside": KeptAside.objects.count(),
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    verbs: dict[str, Callable[..., None]] = {
        "send": send,
        "doubt": doubt,
        "fill": fill,
        "paths": paths,
        "standing": standing,
    }
    verbs[sys.argv[1]](*sys.argv[2:])
