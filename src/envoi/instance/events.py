"""What the settings of this installation announce."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """Some settings have new values.

    Attributes:
        changes: by name, the value before and the value now.
        actor_id: the user who changed them; None for the system itself.
    """

    changes: Mapping[str, tuple[object, object]]
    actor_id: int | None
