"""Keys with which messages are signed (DKIM, RFC 6376)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from envoi.core import clock


class DkimKey(models.Model):
    """A key pair of a sending domain. Messages from the domain are signed with each active one."""

    class Algorithm(models.TextChoices):
        RSA = "rsa", _("RSA (2048 bits)")
        ED25519 = "ed25519", _("Ed25519")

    domain = models.CharField(_("domain"), max_length=253)
    selector = models.CharField(_("selector"), max_length=63)
    algorithm = models.CharField(_("algorithm"), max_length=7, choices=Algorithm, default=Algorithm.RSA)
    # PKCS #8, encrypted with the installation's key.
    private_encrypted = models.TextField(editable=False)
    # As it stands in p= of the DNS record: base64 of SubjectPublicKeyInfo (RSA) or of the bare key (RFC 8463 §4.2).
    public = models.TextField(editable=False)
    is_active = models.BooleanField(_("signs"), default=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("DKIM key")
        verbose_name_plural = _("DKIM keys")
        constraints = [models.UniqueConstraint(fields=["domain", "selector"], name="one_dkim_key_per_selector")]

    def __str__(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"
