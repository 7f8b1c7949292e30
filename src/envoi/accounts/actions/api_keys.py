"""Keys that let programs in: make one, revoke one, remember that one was used.

Guarantees: a key is told once and stored only as a hash; it never allows more than its owner may.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import ApiKey, User
from envoi.accounts.permissions import SCOPES, may
from envoi.accounts.queries import hash_of
from envoi.core import clock

# A name that people and scanners of leaked secrets know again.
BEGINNING = "envoi_"
SHOWN = len(BEGINNING) + 8
NOTED_EVERY = timedelta(minutes=1)


class KeyRefused(ValueError):
    """There can be no such key.

    Attributes:
        field: what is wrong: name, scopes or expires_at.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def issue(name: str, scopes: Sequence[str], *, expires_at: datetime | None = None, actor: User) -> tuple[ApiKey, str]:
    """A new key that acts in `actor`'s name, and the text to give to the program.

    Raises:
        KeyRefused: without name or scope, with a scope that the actor or the API has not, or already expired.
    """
    name = " ".join(name.split())
    allowed = {scope for scope in SCOPES if may(actor, scope)}
    if not name or len(name) > 100:
        raise KeyRefused("name", _("Give the key a name of at most 100 characters."))
    if not scopes or not set(scopes) <= allowed:
        raise KeyRefused("scopes", _("Choose at least one thing that the key may do, and none that you may not."))
    if expires_at is not None and expires_at <= clock.now():
        raise KeyRefused("expires_at", _("This moment has passed."))
    token = BEGINNING + secrets.token_urlsafe(32)
    with transaction.atomic():
        key = ApiKey.objects.create(
            name=name,
            prefix=token[:SHOWN],
            key_hash=hash_of(token),
            scopes=sorted(str(scope) for scope in set(scopes)),
            owner=actor,
            expires_at=expires_at,
        )
        audit.record(actor, "api_key_issue", key, prefix=key.prefix, scopes=key.scopes)
    return key, token


def revoke(key: ApiKey, *, actor: User | None) -> None:
    """Let nobody in with it any more; nothing happens when that is so already."""
    with transaction.atomic():
        if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=clock.now()):
            audit.record(actor, "api_key_revoke", key, prefix=key.prefix)


def note_use(key: ApiKey) -> None:
    """Write down that the key was used, at most once a minute."""
    now = clock.now()
    if key.last_used_at is None or key.last_used_at <= now - NOTED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - NOTED_EVERY)
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)
