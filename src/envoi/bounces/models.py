"""What came back: reports about deliveries, and messages to return paths that are none or cannot be believed."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from envoi.bounces.reading import Action
from envoi.core import clock
from envoi.delivery.models import Delivery


class Report(models.Model):
    """That a server reported this of a delivery: once, however often the report comes.

    What the server said stands in the delivery, where it is erased with the rest.
    """

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="+")
    action = models.CharField(max_length=9, choices=[(action.value, action.value) for action in Action])
    status = models.CharField(max_length=12, blank=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "action", "status"], name="one_report_of_a_kind_per_delivery")
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.action} {self.status}"


class KeptAside(models.Model):
    """A message to a return path that had no effect, with why. How many are kept is bounded: see `keep_aside`."""

    class Why(models.TextChoices):
        NOT_OURS = "not_ours", _("The address it was sent to is no return path")
        FORGED = "forged", _("The token in its return path is forged or cut")
        GONE = "gone", _("Its delivery is no longer there")
        NO_REPORT = "no_report", _("It is no report in the standard form (RFC 3464)")
        COMPLAINT = "complaint", _("It is a complaint")

    key = models.CharField(max_length=64, unique=True)
    why = models.CharField(max_length=9, choices=Why)
    sent_to = models.CharField(max_length=254, blank=True)
    sender = models.CharField(max_length=254, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    times = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField(default=clock.now)
    last_at = models.DateTimeField(default=clock.now, db_index=True)

    def __str__(self) -> str:
        return f"{self.why} {self.sent_to}"
