"""What removing a transport and a sender identity have in common."""

from __future__ import annotations

from django.db.models import ProtectedError

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.delivery.actions.problems import InUse
from envoi.delivery.models import SenderIdentity, Transport


def remove_unneeded(row: Transport | SenderIdentity, needed: str, named: str, *, actor: User | None) -> None:
    """Delete `row`, in the caller's transaction.

    Args:
        needed: why it must stay, for people; "" when nothing is known that needs it.
        named: what to say when rows of others turn out to name it.

    Raises:
        InUse: it stays.
    """
    if needed:
        raise InUse(needed)
    audit.record(actor, "delete", row)
    try:
        row.delete()
    except ProtectedError as error:
        raise InUse(named) from error
