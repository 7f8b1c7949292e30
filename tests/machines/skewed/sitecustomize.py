"""For the machine whose wall clock is wrong: every Python that starts with this folder on its path reads it so."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, tzinfo

from envoi.core import clock

_AHEAD = timedelta(minutes=float(os.environ["TEST_CLOCK_MINUTES_AHEAD"]))


class _Wrong(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz or UTC) + _AHEAD


setattr(clock, "datetime", _Wrong)  # noqa: B010
