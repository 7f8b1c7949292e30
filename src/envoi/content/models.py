from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from envoi.core import clock


class Layout(models.Model):
    """The wrapper of an e-mail: an HTML document in Liquid with `{{ content }}` where the body goes."""

    name = models.CharField(_("name"), max_length=150, unique=True)
    html = models.TextField(_("HTML"))
    text = models.TextField(_("text"), blank=True)
    is_default = models.BooleanField(_("default"), default=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    changed_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("layout")
        verbose_name_plural = _("layouts")

    def __str__(self) -> str:
        return self.name
