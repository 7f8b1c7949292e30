"""Sending broadcasts is batch work: whatever else the machine does has the processor first.

Pages, what a person waits for, the database and a relay on the same machine are answered sooner while a million leaves;
and the million leaves sooner, too, since the relay that senders wait for no longer waits for them to leave its core
(measured: docs/explanation/performance.md).
"""

from __future__ import annotations

import contextlib
import os

# nice(2): of a core that others want as well, a tenth is left. More brings no more, and beside a program that never
# rests a broadcast would hardly move.
NICE = 10


def give_way() -> None:
    """Let this process, and every thread it starts from now on, stand behind others; where that is refused, nothing
    happens."""
    with contextlib.suppress(OSError):
        os.nice(NICE)
    if hasattr(os, "SCHED_BATCH"):
        # sched(7): whoever wakes up so does not take the core from whoever has it.
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
