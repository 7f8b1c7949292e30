from __future__ import annotations

from django.db import models

from envoi.accounts.models import ApiKey
from envoi.core import clock


class RememberedAnswer(models.Model):
    """What a POST with an Idempotency-Key was answered, written in the transaction of its effect."""

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=200)
    # SHA-256 of method, address and body: the same key with another request is a mistake of the program.
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["api_key", "name"], name="one_answer_per_key_and_name")]

    def __str__(self) -> str:
        return f"{self.name}: {self.status}"
