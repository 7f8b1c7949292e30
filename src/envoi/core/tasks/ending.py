"""Whether this process has been asked to stop. Long tasks look here between two steps and end early."""

from __future__ import annotations

import threading

_asked = threading.Event()


def stopping() -> bool:
    """Whether to take no new work and finish what is in flight."""
    return _asked.is_set()


def stop() -> None:
    """Ask this process's workers and scheduler to stop."""
    _asked.set()


def wait(seconds: float) -> bool:
    """Sleep, but no longer than until the request to stop; whether it came."""
    return _asked.wait(seconds)
