"""Envoi's own SMTP client (no Django in it). Public to the other domains.

    async with Pool(SmtpSettings("mail.example.org", 587, username="…", password="…")) as pool:
        outcome = await pool.send(Envelope("bounce@example.org", "ada@example.net", message))

Who sends many implements `Supply` and gives it to `Connections`.
Own, because the usual clients raise the same error for “surely not sent” and “perhaps sent”.
"""

from envoi.delivery.smtp.connections import Connections, Supply, closed, withheld
from envoi.delivery.smtp.envelopes import Envelope
from envoi.delivery.smtp.loop import Loop
from envoi.delivery.smtp.outcomes import (
    Accepted,
    Fault,
    FaultKind,
    NotSent,
    Outcome,
    Refused,
    Remedy,
    SenderRefused,
    TakenBack,
    Unknown,
)
from envoi.delivery.smtp.phases import Phase, Timeouts
from envoi.delivery.smtp.pool import Hooks, Pool
from envoi.delivery.smtp.replies import Reply
from envoi.delivery.smtp.session import Security, SmtpSettings

__all__ = [
    "Accepted",
    "Connections",
    "Envelope",
    "Fault",
    "FaultKind",
    "Hooks",
    "Loop",
    "NotSent",
    "Outcome",
    "Phase",
    "Pool",
    "Refused",
    "Remedy",
    "Reply",
    "Security",
    "SenderRefused",
    "SmtpSettings",
    "Supply",
    "TakenBack",
    "Timeouts",
    "Unknown",
    "closed",
    "withheld",
]
