"""What users' records keep of changes on lower floors."""

from __future__ import annotations

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.core import events
from envoi.instance.events import SettingsChanged


def register() -> None:
    events.on(SettingsChanged, write_down_changed_settings)


def write_down_changed_settings(event: SettingsChanged) -> None:
    actor = User.objects.filter(pk=event.actor_id).first() if event.actor_id else None
    changes = {name: {"before": before, "after": after} for name, (before, after) in event.changes.items()}
    audit.record(actor, "change_settings", None, **changes)
