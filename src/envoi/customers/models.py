from __future__ import annotations

from datetime import timedelta

from django.db import models

from envoi.contacts.models import Contact
from envoi.core import clock


class SignIn(models.Model):
    """One link to the customer page that was asked for, and the visit that began with it."""

    VALID_FOR = timedelta(minutes=20)
    STAYS_FOR = timedelta(days=30)

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    language = models.CharField(max_length=10)
    asked_at = models.DateTimeField(default=clock.now, db_index=True)
    used_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["contact", "-asked_at"], name="sign_in_by_contact")]

    def __str__(self) -> str:
        return f"sign-in {self.pk}"

    @property
    def is_too_old(self) -> bool:
        return self.asked_at + self.VALID_FOR <= clock.now()
