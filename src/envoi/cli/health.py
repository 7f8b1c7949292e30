"""Is this installation well? Each question is one function that gives findings, with what to do about the bad ones."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import Sum

from envoi.accounts.models import Role, User
from envoi.bounces.models import KeptAside
from envoi.cli import migrate
from envoi.cli.compiled import HOW, is_compiled
from envoi.cli.faults import Stop, data_folder_writable, explain
from envoi.console import assets
from envoi.core import clock
from envoi.core.models import FailedTask
from envoi.core.tasks import heartbeats
from envoi.core.wording import said
from envoi.delivery.actions.restored import still_held
from envoi.delivery.limits.impossible import doubts_of_sender, doubts_of_transport
from envoi.delivery.models import SenderIdentity, Transport
from envoi.delivery.relay import RelayNotReady, settings_of

LITTLE_SPACE, NO_SPACE = 1024**3, 100 * 1024**2
ANSWERS_WITHIN = 5.0
RECENT = timedelta(days=1)


class State(StrEnum):
    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer. `hint` says what to do; it is empty when all is well."""

    subject: str
    state: State
    text: str
    hint: str = ""


def data_folder() -> Iterator[Finding]:
    try:
        data_folder_writable()
    except Stop as stop:
        yield Finding("data folder", State.BAD, str(stop), "Give the user that runs Envoi the right to write there.")
        return
    free = shutil.disk_usage(settings.ENVOI_DATA).free
    state = State.BAD if free < NO_SPACE else State.NOTE if free < LITTLE_SPACE else State.GOOD
    hint = "" if state is State.GOOD else "Make room: sending stops when the disk is full."
    yield Finding("data folder", state, f"{settings.ENVOI_DATA}, {free / 1024**3:.1f} GiB free", hint)


def database() -> Iterator[Finding]:
    try:
        missing = migrate.pending()
    except DatabaseError as error:
        yield Finding("database", State.BAD, explain(error), "")
        return
    if missing:
        yield Finding("database", State.BAD, f"{len(missing)} migrations are missing", "Run “envoi migrate”.")
    else:
        yield Finding("database", State.GOOD, f"{connection.vendor}, up to date")


def secret_key() -> Iterator[Finding]:
    if os.environ.get("ENVOI_SECRET_KEY"):
        yield Finding("secret key", State.GOOD, "from ENVOI_SECRET_KEY")
        return
    path = settings.ENVOI_DATA / "secret.key"
    if path.stat().st_mode & 0o077:
        yield Finding("secret key", State.BAD, f"{path} can be read by others", f"Run: chmod 600 {path}")
    else:
        yield Finding("secret key", State.GOOD, f"{path}; keep a copy with your backups")


def base_url() -> Iterator[Finding]:
    host = urlsplit(settings.ENVOI_BASE_URL).hostname or ""
    if host in {"localhost", "127.0.0.1", "::1"}:
        text = f"{settings.ENVOI_BASE_URL}: links in e-mails work on this machine only"
        yield Finding("base URL", State.NOTE, text, "Set ENVOI_BASE_URL before you mail real people.")
    elif not settings.ENVOI_BASE_URL.startswith("https:"):
        text = f"{settings.ENVOI_BASE_URL}: not encrypted; mailbox providers refuse one-click unsubscribe without https"
        yield Finding(
            "base URL", State.NOTE, text, "Put a server with TLS in front and set ENVOI_BASE_URL to https://…"
        )
    else:
        yield Finding("base URL", State.GOOD, settings.ENVOI_BASE_URL)


def front_end() -> Iterator[Finding]:
    try:
        assets.address("console.js")
    except assets.FrontEndNotBuilt as error:
        yield Finding("front end", State.BAD, "not built", str(error))
    else:
        yield Finding("front end", State.GOOD, "built")


def speed() -> Iterator[Finding]:
    if is_compiled():
        yield Finding("speed of sending", State.GOOD, "compiled")
    else:
        yield Finding("speed of sending", State.NOTE, "not compiled, about a sixth slower", HOW)


def processes() -> Iterator[Finding]:
    """Workers, senders and scheduler, by their signs of life."""
    found = {kind: heartbeats.living(kind) for kind in ("worker", "sender", "personal", "scheduler")}
    for kind, subject in (("worker", "worker"), ("sender", "sending"), ("personal", "personal mail")):
        if found[kind]:
            yield Finding(subject, State.GOOD, f"{found[kind]} alive")
        else:
            yield Finding(subject, State.BAD, "none is alive", "Start Envoi with “envoi up”, or run “envoi worker”.")
    if found["scheduler"]:
        yield Finding("scheduler", State.GOOD, f"{found['scheduler']} alive")
    else:
        hint = "Start Envoi with “envoi up”, or run “envoi worker”."
        yield Finding("scheduler", State.BAD, "none is alive", hint)


def agreement() -> Iterator[Finding]:
    """Whether the processes that live, on all machines, share what they must share."""
    if differs := heartbeats.disagreement():
        yield Finding("machines", State.BAD, differs, "Set it alike on every machine, and start Envoi again there.")


def failed_tasks() -> Iterator[Finding]:
    recent = list(FailedTask.objects.filter(failed_at__gt=clock.now() - RECENT).order_by("-failed_at")[:3])
    if recent:
        shown = "; ".join(map(str, recent))
        yield Finding("background tasks", State.NOTE, f"failed for good since yesterday: {shown}", "See the log.")
    else:
        yield Finding("background tasks", State.GOOD, "none failed for good since yesterday")


def held_mailings() -> Iterator[Finding]:
    """After a backup was restored: what may have been sent already waits for a person."""
    if held := still_held():
        hint = "Open the broadcasts that are paused, compare with your mail server’s log, and resume or cancel them."
        yield Finding("restored backup", State.BAD, f"sending is held: {held} that was running", hint)


def returned_mail() -> Iterator[Finding]:
    """Messages that came back and could not be believed or understood."""
    found = KeptAside.objects.filter(last_at__gt=clock.now() - RECENT)
    numbers = found.values_list("why").annotate(number=Sum("times")).order_by("-number")
    if shown := "; ".join(f"{KeptAside.Why(why).label}: {number}" for why, number in numbers):
        hint = "“envoi receive-report --kept-aside” lists them."
        yield Finding("returned mail", State.NOTE, f"had no effect since yesterday: {shown}", hint)


def accounts() -> Iterator[Finding]:
    if User.objects.filter(role=Role.OWNER, is_active=True).exists():
        yield Finding("accounts", State.GOOD, "an owner may sign in")
    else:
        yield Finding("accounts", State.BAD, "no owner may sign in", "Run “envoi user add you@example.org”.")


def transports() -> Iterator[Finding]:
    if not SenderIdentity.objects.filter(is_default=True).exists():
        yield Finding("sender", State.NOTE, "no From address is set", "Set it under Settings, Sending.")
    used = Transport.objects.filter(identities__isnull=False).distinct() or Transport.objects.all()
    for transport in used.order_by("name"):
        yield reach(transport)
        for doubt in doubts_of_transport(transport):
            state = State.BAD if doubt.stops else State.NOTE
            yield Finding(f"limits of “{transport.name}”", state, doubt.text, doubt.hint)
    for identity in SenderIdentity.objects.exclude(warm_up_from=None).order_by("pk"):
        for doubt in doubts_of_sender(identity):
            state = State.BAD if doubt.stops else State.NOTE
            yield Finding(f"sender {identity.from_address}", state, doubt.text, doubt.hint)


def reach(transport: Transport) -> Finding:
    """Whether the server of a transport can be reached; no mail is sent."""
    subject = f"transport “{transport.name}”"
    if transport.paused_at:
        return Finding(
            subject, State.BAD, f"paused: {said(transport.paused_reason)}", "Resume it under Settings, Sending."
        )
    try:
        server = settings_of(transport)
        with socket.create_connection((server.host, server.port), timeout=ANSWERS_WITHIN):
            pass
    except RelayNotReady as error:
        return Finding(subject, State.BAD, str(error))
    except OSError as error:
        text = f"{server.host}:{server.port} cannot be reached: {error.strerror or error}"
        return Finding(subject, State.BAD, text, "Check host and port under Settings, Sending, and the firewall.")
    if transport.kind == Transport.Kind.SANDBOX:
        hint = "Set up a relay under Settings, Sending, before you mail real people."
        return Finding(subject, State.NOTE, f"the sandbox mailbox on port {server.port} keeps all mail here", hint)
    return Finding(subject, State.GOOD, f"{server.host}:{server.port} answers")


WITHOUT_DATABASE: tuple[Callable[[], Iterator[Finding]], ...] = (
    data_folder,
    secret_key,
    base_url,
    front_end,
    speed,
    database,
)
WITH_DATABASE: tuple[Callable[[], Iterator[Finding]], ...] = (
    accounts,
    processes,
    agreement,
    failed_tasks,
    held_mailings,
    returned_mail,
    transports,
)


def findings() -> Iterator[Finding]:
    """Ask everything; what needs the database is asked only when it is well."""
    well = True
    for question in WITHOUT_DATABASE:
        for finding in question():
            well = well and not (finding.subject == "database" and finding.state is State.BAD)
            yield finding
    if well:
        for question in WITH_DATABASE:
            yield from question()
