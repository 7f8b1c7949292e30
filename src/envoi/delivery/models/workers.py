"""Who works: the shifts of live workers, and how far sending has come."""

from __future__ import annotations

from django.db import models

from envoi.core import clock
from envoi.delivery.models.ledger import Mailing
from envoi.delivery.models.sending import Transport


class Shift(models.Model):
    """A worker that sends for a mailing just now. The row lives as long as the worker renews it."""

    worker = models.CharField(max_length=60, unique=True)
    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="shifts")
    transport = models.ForeignKey(Transport, on_delete=models.CASCADE, related_name="shifts")
    # That it may open; 0 while it waits for others to close theirs.
    connections = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(default=clock.now)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.worker


class LedgerMark(models.Model):
    """How far sending has come, as one number that only grows: a restored backup shows an older one. One row."""

    key = models.CharField(max_length=16)
    number = models.BigIntegerField(default=0)
    # When running mailings were last held because the database had gone back.
    held_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.key} {self.number}"
