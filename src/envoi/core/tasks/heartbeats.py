"""Signs of life: every long-lived process says now and then that it lives, so that `envoi check` can tell."""

from __future__ import annotations

import os
import socket
from datetime import timedelta

from django.conf import settings

from envoi.core import clock, keys
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
    shared = {"key_mark": key_mark(), "base_url": settings.ENVOI_BASE_URL[:300]}
    Heartbeat.objects.update_or_create(process=process, defaults={"kind": kind, "seen_at": clock.now(), **shared})


def key_mark() -> str:
    """Equal marks mean equal secret keys."""
    return keys.derive("heartbeat").hex()[:16]


def disagreement() -> str:
    """In which setting this process differs from others that live, and from which; "" when all agree.

    With another secret key a machine would sign links that no other accepts, and could not read stored passwords.
    """
    living = Heartbeat.objects.filter(seen_at__gt=clock.now() - SILENT_AFTER)
    for setting, field, own in (
        ("ENVOI_SECRET_KEY", "key_mark", key_mark()),
        ("ENVOI_BASE_URL", "base_url", settings.ENVOI_BASE_URL[:300]),
    ):
        if other := living.exclude(**{field: own}).order_by("process").first():
            return f"{setting} is not the same here as at {other.process}, which works on this database too."
    return ""


def leave(kind: str) -> None:
    """Say that this process ends its work as `kind`, and forget those that ended long ago without a word."""
    Heartbeat.objects.filter(process=f"{process_name()}:{kind}").delete()
    Heartbeat.objects.filter(seen_at__lt=clock.now() - FORGOTTEN_AFTER).delete()


def living(kind: str) -> int:
    """How many processes of this kind live."""
    return Heartbeat.objects.filter(kind=kind, seen_at__gt=clock.now() - SILENT_AFTER).count()
