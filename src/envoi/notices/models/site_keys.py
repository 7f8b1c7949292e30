from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from envoi.core import clock, keys


class SiteKey(models.Model):
    """A site that may show notices to its own users, and the secret with which it signs who is looking."""

    key = models.CharField(max_length=16, unique=True, default=keys.random_key, editable=False)
    name = models.CharField(_("name"), max_length=150)
    secret_encrypted = models.TextField(editable=False)
    # Origins of pages that may ask from a browser, one a line: https://app.example.org
    origins = models.TextField(_("addresses of the site"), blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("site key")
        verbose_name_plural = _("site keys")

    def __str__(self) -> str:
        return self.name

    @property
    def secret_context(self) -> str:
        """What the secret's ciphertext is bound to (`core.secrets`)."""
        return f"site_key:{self.key}"
