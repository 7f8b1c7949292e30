"""The sites that may show notices."""

from __future__ import annotations

from django.db.models import F, QuerySet

from envoi.notices.models import SiteKey


def site_keys() -> QuerySet[SiteKey]:
    """Those in use first, then those revoked; newest first."""
    return SiteKey.objects.order_by(F("revoked_at").desc(nulls_first=True), "-id")
