"""Signs of life: every long-lived process says now and then that it lives, so that `envoi check` can tell."""

from __future__ import annotations

import os
import socket
from datetime import timedelta

from envoi.core import clock
from envoi.core.models import Heartbeat

INTERVAL = timedelta(seconds=10)
SILENT_AFTER = timedelta(seconds=45)
FORGOTTEN_AFTER = timedelta(days=1)


def process_name() -> str:
    """This process, among all of all machines."""
    return f"{socket.gethostname()[:80]}:{os.getpid()}"


def beat(kind: str) -> None:
    """Say that this process lives. `kind` is worker, sender or scheduler."""
    process = f"{process_name()}:{kind}"
    Heartbeat.objects.update_or_create(process=process, defaults={"kind": kind, "seen_at": clock.now()})


def leave(kind: str) -> None:
    """Say that this process ends its work as `kind`, and forget those that ended long ago without a word."""
    Heartbeat.objects.filter(process=f"{process_name()}:{kind}").delete()
    Heartbeat.objects.filter(seen_at__lt=clock.now() - FORGOTTEN_AFTER).delete()


def living(kind: str) -> int:
    """How many processes of this kind live."""
    return Heartbeat.objects.filter(kind=kind, seen_at__gt=clock.now() - SILENT_AFTER).count()
