"""Whatever may alter who is meant by a notice makes everybody's view be looked at anew."""

from __future__ import annotations

from envoi.audiences.events import AudienceSaved, ReachChanged
from envoi.contacts.events import ContactsChanged, ContactsTaken
from envoi.core import clock, events
from envoi.instance.events import SettingsChanged
from envoi.notices.actions import bump
from envoi.notices.queries import not_over


def register() -> None:
    """Listen from now on; called once, when the app is ready."""
    for event in (ReachChanged, ContactsChanged, ContactsTaken, SettingsChanged):
        events.on(event, people_moved)
    events.on(AudienceSaved, audience_saved)


def people_moved(event: object) -> None:
    """Somebody may be meant who was not, or the other way round."""
    bump.everybody_if_any()


def audience_saved(event: AudienceSaved) -> None:
    """The audience of a notice names others now."""
    if not_over(clock.now()).filter(audience=event.audience_id).exists():
        bump.everybody()
