"""Read users and the audit."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, QuerySet

from envoi.accounts.models import AuditEntry, Role, User


def users() -> QuerySet[User]:
    """Everybody, those who may sign in first, by address; `second_factor` tells whether they have set one up."""
    second_factor = Exists(Authenticator.objects.filter(user=OuterRef("pk")))
    return User.objects.annotate(second_factor=second_factor).order_by("-is_active", "email")


def owners() -> QuerySet[User]:
    """Owners who may sign in."""
    return User.objects.filter(role=Role.OWNER, is_active=True).order_by("pk")


def audit_entries(q: str = "") -> QuerySet[AuditEntry]:
    """The audit, to be paginated by `("-id",)`; `q` is looked for in who did it and what it was done to."""
    entries = AuditEntry.objects.all()
    if q:
        entries = entries.filter(actor_label__icontains=q) | entries.filter(subject_label__icontains=q)
    return entries
