"""Write down who did what."""

from __future__ import annotations

from django.db.models import Model

from envoi.accounts.models import AuditEntry, User


def record(actor: User | None, verb: str, subject: Model | None = None, **details: object) -> None:
    """Add one audit entry; call it inside the transaction of the change. `actor` is None for the system itself."""
    AuditEntry.objects.create(
        actor=actor,
        actor_label=_named(actor)[:254],
        verb=verb,
        subject_type=subject._meta.label_lower if subject else "",
        subject_id=str(subject.pk) if subject else "",
        subject_label=str(subject)[:200] if subject else "",
        details=details,
    )


def _named(actor: User | None) -> str:
    """The address; with the key, when a program acts in their name."""
    if actor is None:
        return ""
    return f"{actor.email} ({actor.through})" if actor.through else actor.email
