"""The clock as a port: everything that asks for the time asks here, so that tests own it.

On PostgreSQL all machines go by the clock of the database (`database_sessions.py` measures it): leases, rates and hours
of sending are agreed between machines whose own clocks may differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_correction = timedelta(0)


def own() -> datetime:
    """What this machine's clock says."""
    return datetime.now(UTC)


def _corrected() -> datetime:
    return own() + _correction


_source: Callable[[], datetime] = _corrected


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return _source()


def correction() -> timedelta:
    """What is added to this machine's clock."""
    return _correction


def correct(by: timedelta) -> None:
    """Add so much to this machine's clock from now on."""
    global _correction
    _correction = by


@contextmanager
def set_to(moment: datetime) -> Iterator[None]:
    """Make `now()` answer `moment` inside the block. For tests."""
    global _source
    before, _source = _source, lambda: moment
    try:
        yield
    finally:
        _source = before
