"""Small makers of what the tests of bounces need."""

from __future__ import annotations

from typing import Any

from envoi.delivery import return_path
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.queries import recount
from envoi.delivery.tests.factories import ago, make_mailing

UNKNOWN_USER = "smtp; 550 5.1.1 <ada@example.net>: No such user here"


def report(
    address: str = "ada@example.net",
    *,
    action: str = "failed",
    status: str = "5.1.1",
    said: str = UNKNOWN_USER,
    sent_to: str = "",
    final: str | None = None,
    extra: str = "",
) -> bytes:
    """A delivery status notification as Postfix lays it out, to `sent_to`."""
    lines = [
        "Return-Path: <>",
        *([f"Delivered-To: {sent_to}"] if sent_to else []),
        "From: MAILER-DAEMON@relay.test (Mail Delivery System)",
        "Subject: Undelivered Mail Returned to Sender",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status;\n boundary="B1/relay.test"',
        "",
        "This is a MIME-encapsulated message.",
        "",
        "--B1/relay.test",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        "I'm sorry to have to inform you that your message could not be delivered.",
        "",
        "--B1/relay.test",
        "Content-Description: Delivery report",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; relay.test",
        "Original-Envelope-Id: e-17",
        "Arrival-Date: Sat, 21 Nov 2026 06:00:00 +0000 (UTC)",
        "",
        f"Final-Recipient: rfc822; {address if final is None else final}",
        f"Original-Recipient: rfc822;{address}",
        f"Action: {action}",
        f"Status: {status}",
        f"Diagnostic-Code: {said}",
        "",
        *([extra, ""] if extra else []),
        "--B1/relay.test",
        "Content-Description: Undelivered Message",
        "Content-Type: message/rfc822",
        "",
        "Message-ID: <key1.mailing@example.org>",
        f"To: {address}",
        "Subject: Hello",
        "",
        "Hello!",
        "",
        "--B1/relay.test--",
        "",
    ]
    return "\n".join(lines).encode()


def accepted_mailing(*addresses: str, state: Delivery.State = Delivery.State.SENT, **fields: Any) -> Mailing:
    """A running mailing of which each row is in `state` since a minute ago."""
    mailing = make_mailing(*addresses)
    Mailing.objects.filter(pk=mailing.pk).update(state_changed_at=ago(hours=1), leased_to=mailing.last_id)
    mailing.deliveries.update(state=state, state_at=ago(minutes=1), first_attempt_at=ago(minutes=1), **fields)
    mailing.refresh_from_db()
    recount(mailing)
    return mailing


def path_of(row: Delivery) -> str:
    return return_path.make(row.pk, "example.org")


def tallied(mailing: Mailing) -> dict[str, int]:
    """The sums that pages show, without what is nought."""
    found: dict[str, int] = {}
    for tally in mailing.tallies.all():
        found[tally.state] = found.get(tally.state, 0) + tally.count
    return {state: number for state, number in found.items() if number}
