"""Change the settings of this installation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from django.db import transaction

from envoi.core import clock, events
from envoi.instance import queries
from envoi.instance.events import SettingsChanged
from envoi.instance.models import Setting
from envoi.instance.schema import DEFINITIONS


class Actor(Protocol):
    """Who changes something; the floor of users lies above this one."""

    @property
    def pk(self) -> int: ...


def change(values: Mapping[str, object], *, actor: Actor | None) -> None:
    """Store new values, all or none; what stays as it was is neither written nor announced.

    Raises:
        SettingRefused: a value does not fit its setting.
        KeyError: there is no such setting.
    """
    checked = {name: DEFINITIONS[name].checked(value) for name, value in values.items()}
    with transaction.atomic():
        before = queries.get_all()
        changes = {name: (before[name], value) for name, value in checked.items() if before[name] != value}
        if not changes:
            return
        now = clock.now()
        Setting.objects.bulk_create(
            [Setting(name=name, value=value, changed_at=now) for name, (_, value) in changes.items()],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["value", "changed_at"],
        )
        events.announce(SettingsChanged(changes, actor.pk if actor else None))
