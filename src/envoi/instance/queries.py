"""Read the settings of this installation."""

from __future__ import annotations

from collections.abc import Mapping

from envoi.instance.models import Setting
from envoi.instance.schema import DEFINITIONS, Definition, SettingRefused, Value


def get(definition: Definition[Value]) -> Value:
    """The value of one setting: as stored, else its default. One query; read several with `get_all`."""
    stored = Setting.objects.filter(name=definition.name).values_list("value", flat=True).first()
    return definition.default if stored is None else _readable(definition, stored)


def get_all() -> Mapping[str, object]:
    """Every setting by its name, in one query."""
    stored = dict(Setting.objects.filter(name__in=DEFINITIONS).values_list("name", "value"))
    return {
        name: _readable(definition, stored[name]) if name in stored else definition.default
        for name, definition in DEFINITIONS.items()
    }


def _readable(definition: Definition[Value], stored: object) -> Value:
    """What was stored; a value that no longer fits (an older release's) counts as not set."""
    try:
        return definition.checked(stored)
    except SettingRefused:
        return definition.default
