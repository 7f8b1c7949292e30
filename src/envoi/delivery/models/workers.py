"""Who works: the shifts of live workers, the rows they hold, and how far sending has come."""

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


class Lease(models.Model):
    """Every pending row of `mailing` from `first_id` to `last_id` belongs to `worker`.

    Up to `offered_to` they may have been offered to a server; the others surely were not. The id is the number that the
    journal and each write name: whoever concludes about a dead worker deletes the lease, and nothing that the dead one
    says later counts. Leases of a mailing never overlap. One without a worker is a range that somebody gave back.
    """

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="leases")
    transport = models.ForeignKey(Transport, null=True, on_delete=models.SET_NULL, related_name="+")
    worker = models.CharField(max_length=60, blank=True, default="")
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    offered_to = models.BigIntegerField(default=0)
    # The Date of messages that are tried for the first time.
    started_at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailing", "first_id"], name="one_lease_per_range")]
        indexes = [models.Index(fields=["worker"], name="lease_by_worker")]

    def __str__(self) -> str:
        return f"{self.mailing_id} {self.first_id}–{self.last_id} {self.worker}"


class LedgerMark(models.Model):
    """How far sending has come, as one number that only grows: a restored backup shows an older one. One row."""

    key = models.CharField(max_length=16)
    number = models.BigIntegerField(default=0)
    # When running mailings were last held because the database had gone back.
    held_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.key} {self.number}"
