"""The mailings and the senders of `envoi bench faults`."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import traceback
from collections.abc import Sequence

from envoi.cli.supervisor import PR_SET_PDEATHSIG
from envoi.delivery import composers, return_path
from envoi.delivery.actions.watch import watch
from envoi.delivery.composers import Compose, Leased, Message
from envoi.delivery.models import Delivery, Mailing, SenderIdentity, Transport
from envoi.delivery.queries.ranges import note_range
from envoi.delivery.shifts.work import work

AT_ONCE = 5000
NAME = "bench"


class Short:
    """The shortest message that names its recipient: the bench is about who gets it, not about what it says."""

    def open(self, mailing: Mailing, /) -> Compose:
        return Note(mailing)


class Note:
    """The messages of one mailing."""

    def __init__(self, mailing: Mailing) -> None:
        self.mailing = mailing

    def load(self, batch: Sequence[Leased], /) -> Sequence[None]:
        return [None] * len(batch)

    def write(self, leased: Leased, loaded: None, /) -> Message:
        identifier = self.mailing.message_id(leased.key)
        head = f"Message-ID: {identifier}\r\nTo: {leased.address}\r\nSubject: Hello\r\n\r\nHello!\r\n"
        return Message(return_path.make(leased.id, "example.org"), head.encode())


def seed(recipients: int, mailings: int, connections: int, port: int) -> list[int]:
    """So many recipients, divided among mailings that each have a relay of their own."""
    composers.register(NAME, Short())
    made = []
    for number in range(mailings):
        relay = Transport.objects.create(
            name=f"Witness {number}",
            kind=Transport.Kind.SMTP,
            host="127.0.0.1",
            port=port,
            security=Transport.Security.NONE,
            max_connections=connections,
        )
        identity = SenderIdentity.objects.create(from_address="bench@example.org", transport=relay)
        mailing = Mailing.objects.create(
            reference=f"bench:{number}",
            composer=NAME,
            identity=identity,
            message_id_domain="example.org",
            total=len(range(number, recipients, mailings)),
        )
        made.append(mailing.pk)
        everybody = range(number, recipients, mailings)
        for start in range(0, len(everybody), AT_ONCE):
            Delivery.objects.bulk_create(row(mailing, person) for person in everybody[start : start + AT_ONCE])
        note_range(mailing)
    return made


def row(mailing: Mailing, person: int) -> Delivery:
    address = f"p{person}@example.net"
    return Delivery(mailing=mailing, address=address, address_key=address, key=f"{person:016x}")


def fork(mailing: int) -> int:
    """A sender of this mailing in a process of its own; its number."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        logging.getLogger("envoi").setLevel(logging.ERROR)
        while Mailing.objects.filter(pk=mailing, state=Mailing.State.RUNNING).exists():
            watch()
            work(mailing)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)
