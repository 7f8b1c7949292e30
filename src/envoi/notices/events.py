"""What happens to notices."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NoticePublished:
    """A notice stands on dashboards from its first moment on."""

    notice_id: int


@dataclass(frozen=True, slots=True)
class NoticeEnded:
    """A notice disappears at once: its end was set to now, or it was withdrawn."""

    notice_id: int
    withdrawn: bool
