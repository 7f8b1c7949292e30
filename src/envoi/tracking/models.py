"""The links of mailings and what readers did. An activity is raw fact; only its label `automated` is an opinion."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from envoi.core import clock
from envoi.delivery.models import Delivery, Mailing


class TrackedLink(models.Model):
    """A link of a mailing whose clicks are counted. `url` may hold merge tags; they are filled when it is followed."""

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField()
    url = models.TextField()
    label = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailing", "position"], name="one_link_per_mailing_and_position")
        ]

    def __str__(self) -> str:
        return self.url


class Activity(models.Model):
    """Something a recipient, or a machine in the recipient's place, did with a message. Never dropped, only marked."""

    class Type(models.TextChoices):
        OPEN = "open", pgettext_lazy("activity", "Open")
        CLICK = "click", _("Click")
        UNSUBSCRIBE = "unsubscribe", pgettext_lazy("activity", "Unsubscribe")
        RESUBSCRIBE = "resubscribe", pgettext_lazy("activity", "Resubscribe")
        BOUNCE = "bounce", _("Bounce")
        COMPLAINT = "complaint", _("Complaint")

    uid = models.CharField(max_length=32, unique=True)
    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="+")
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="+")
    type = models.CharField(max_length=12, choices=Type)
    at = models.DateTimeField(default=clock.now)
    link = models.ForeignKey(TrackedLink, null=True, on_delete=models.SET_NULL, related_name="+")
    automated = models.CharField(max_length=20, blank=True, default="")
    user_agent = models.CharField(max_length=300, blank=True)
    ip = models.GenericIPAddressField(null=True)
    # "HEAD" of an open or click that was no GET; JSON of what unsubscribing changed.
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        indexes = [
            # The chart's hours.
            models.Index(fields=["mailing", "type", "at", "automated"], name="activity_by_hour"),
            models.Index(fields=["delivery", "type"], name="activity_by_delivery"),
            # Holds all that the counts of a mailing and of its links read, so that they never touch the rows.
            models.Index(fields=["mailing", "type", "link", "delivery", "automated"], name="activity_counts"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.at:%F %T}"
