from __future__ import annotations

from django.db import models

from envoi.core import clock


class TaskRow(models.Model):
    """A task of the embedded engine that waits or runs; it goes when the task is done.

    `available_at` is the moment from which a worker may take it: while it waits, its time has not come; while it runs,
    this is the end of its worker's lease, which the worker pushes on.
    """

    name = models.CharField(max_length=100)
    queue = models.CharField(max_length=40)
    arguments = models.JSONField(default=dict)
    priority = models.SmallIntegerField(default=0)
    available_at = models.DateTimeField()
    worker = models.CharField(max_length=80, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["queue", "available_at"], name="task_due")]

    def __str__(self) -> str:
        return f"{self.name} #{self.pk}"


class FailedTask(models.Model):
    """A task that failed for the last time, with what it said. The same for both engines."""

    name = models.CharField(max_length=100)
    queue = models.CharField(max_length=40)
    arguments = models.JSONField(default=dict)
    attempts = models.PositiveSmallIntegerField()
    error = models.TextField()
    failed_at = models.DateTimeField(default=clock.now, db_index=True)

    def __str__(self) -> str:
        return f"{self.name}: {self.error.strip().rpartition(chr(10))[2][:200]}"


class RecurringSlot(models.Model):
    """When a piece of recurring work is due next. Whoever moves the moment on may run it: once per interval."""

    name = models.CharField(max_length=100, primary_key=True)
    due_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.due_at:%F %T}"


class Heartbeat(models.Model):
    """A process of this installation that lives, and when it last said so."""

    process = models.CharField(max_length=120, primary_key=True)
    kind = models.CharField(max_length=20)
    seen_at = models.DateTimeField(db_index=True)
    # What must be the same everywhere: a mark of the secret key, which it does not give away, and the base URL.
    key_mark = models.CharField(max_length=16, default="")
    base_url = models.CharField(max_length=300, default="")

    def __str__(self) -> str:
        return f"{self.kind} {self.process} at {self.seen_at:%F %T}"
