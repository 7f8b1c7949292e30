"""What audiences do when something happens to contacts."""

from __future__ import annotations

from envoi.audiences.actions import lists
from envoi.contacts.events import ContactsTaken
from envoi.core import events


def fill_list(event: ContactsTaken) -> None:
    lists.take_imported(event.import_id, event.contact_ids)


def register() -> None:
    events.on(ContactsTaken, fill_list)
