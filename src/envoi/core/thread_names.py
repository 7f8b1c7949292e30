"""Names of threads where the operating system shows them (`top -H`, /proc); Python tells it none before 3.14."""

from __future__ import annotations

import ctypes
import sys

PR_SET_NAME = 15  # linux/prctl.h; at most 15 bytes


def show_as(name: str) -> None:
    """Show the calling thread under `name`; elsewhere than on Linux nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode()[:15])
