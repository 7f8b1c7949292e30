"""From leased rows to messages."""

from __future__ import annotations

from collections.abc import Sequence

from envoi.delivery.composers import Compose, Leased, Message, RenderProblem
from envoi.delivery.models import Mailing
from envoi.delivery.queries.leases import Claimed


def compose_rows(
    mailing: Mailing, rows: Sequence[Claimed], compose: Compose
) -> list[tuple[Claimed, Message | RenderProblem]]:
    """Each row with its message, or why it has none; all in one call of the composer."""
    if not rows:
        return []
    batch = [
        Leased(
            id=row.id,
            key=row.key,
            address=row.address,
            contact_id=row.contact_id,
            message_id=f"<{row.key}.{mailing.key}@{mailing.message_id_domain}>",
            first_attempt_at=row.first_attempt_at,
        )
        for row in rows
    ]
    return list(zip(rows, compose(batch), strict=True))
