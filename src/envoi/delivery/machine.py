"""Which machine this is, which run of its kernel, and a clock that does not stand still while it sleeps.

Guarantee: two equal boot ids mean that nothing between was a power cut or a restart, so that what a killed process had
given to the kernel is still there.
"""

from __future__ import annotations

import os
import secrets
import time
from functools import cache
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@cache
def boot_id() -> str:
    """The kernel's own name of its present run; where it has none (macOS), one that no other process shares."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return f"process-{secrets.token_hex(8)}"


def machine_key(folder: Path) -> str:
    """The stable name of this machine, made once in its data folder: eight characters."""
    path = folder / "machine.id"
    if not path.exists():
        fresh = path.with_suffix(f".{secrets.token_hex(8)}")
        fresh.write_text(secrets.token_hex(4))
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()[:8]


def elapsed() -> float:
    """Seconds since some moment, those included in which the machine was suspended: what leases are measured by."""
    return time.clock_gettime(_CLOCK)
