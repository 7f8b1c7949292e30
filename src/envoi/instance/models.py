from __future__ import annotations

from django.db import models


class Setting(models.Model):
    """One setting that differs from its default; the defaults, types and meanings are in `schema.py`."""

    name = models.CharField(max_length=80, primary_key=True)
    value = models.JSONField()
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
