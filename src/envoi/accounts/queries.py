"""Read users, API keys and the audit."""

from __future__ import annotations

import hashlib

from allauth.mfa.models import Authenticator
from django.db.models import Exists, F, OuterRef, QuerySet

from envoi.accounts.models import ApiKey, AuditEntry, Role, User


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


def api_keys() -> QuerySet[ApiKey]:
    """All keys with their owners, those that still let somebody in first, newest first."""
    return ApiKey.objects.select_related("owner").order_by(F("revoked_at").desc(nulls_first=True), "-id")


def api_key_of(token: str) -> ApiKey | None:
    """The key, whether it is still alive or not; one statement."""
    return ApiKey.objects.select_related("owner").filter(key_hash=hash_of(token)).first()


def hash_of(token: str) -> str:
    """What is kept of an API key."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
