"""What the tests of several machines do in processes of their own: `python -m tests.machines.telling VERB …`.

Without a verb it reads one a line and answers each with a line, so that Django is not loaded for every verb.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import django

django.setup()

from django.db import connection  # noqa: E402

from envoi.audiences.models import Subscription  # noqa: E402
from envoi.broadcasts.actions.send import send  # noqa: E402
from envoi.broadcasts.models import Broadcast  # noqa: E402
from envoi.broadcasts.tests.factories import make_draft  # noqa: E402
from envoi.contacts.models import Contact, Kind  # noqa: E402
from envoi.core.tasks import later  # noqa: E402
from envoi.delivery.models import Transport  # noqa: E402
from envoi.delivery.tests.factories import make_list, make_transport  # noqa: E402


def prepare(people: str) -> None:
    """So many readers of a list, and a draft for them."""
    contacts = Contact.objects.bulk_create(
        Contact(
            kind=Kind.CONTACT,
            first_name=f"Reader {number}",
            address=f"p{number:05}@example.net",
            address_key=f"p{number:05}@example.net",
        )
        for number in range(int(people))
    )
    readers = make_list("Readers")
    Subscription.objects.bulk_create(
        Subscription(list=readers, contact=contact, status=Subscription.Status.CONFIRMED) for contact in contacts
    )
    make_draft(readers, transport=make_transport())


def start(host: str, port: str, connections: str) -> None:
    """Send the draft, over the server that listens there."""
    Transport.objects.update(host=host, port=int(port), max_connections=int(connections))
    send(Broadcast.objects.get(), actor=None)


def watch() -> None:
    """Ask for the watchdog at once."""
    later("delivery.watchdog")


if __name__ == "__main__":
    verbs: dict[str, Callable[..., None]] = {"prepare": prepare, "start": start, "watch": watch}
    for words in [sys.argv[1:]] if sys.argv[1:] else map(str.split, sys.stdin):
        verbs[words[0]](*words[1:])
        # Between two verbs the database may have been away.
        connection.close()
        print("done", flush=True)
