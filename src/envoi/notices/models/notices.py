from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from envoi.audiences.models import Audience
from envoi.contacts.models import Contact
from envoi.core import clock, keys


class Level(models.TextChoices):
    """The colour of a notice."""

    INFO = "info", _("Info")
    SUCCESS = "success", _("Success")
    WARNING = "warning", _("Warning")
    ERROR = "error", _("Error")


class Notice(models.Model):
    """One message on the dashboards of an audience, from a moment on and perhaps until one."""

    key = models.CharField(max_length=16, unique=True, default=keys.random_key, editable=False)
    subject = models.CharField(_("subject"), max_length=300)
    # HTML as `cleaning.clean` leaves it, so that whoever shows it need not doubt it.
    body = models.TextField(_("content"))
    level = models.CharField(_("message type"), max_length=7, choices=Level, default=Level.INFO)
    starts_at = models.DateTimeField(_("from"), default=clock.now)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    dismissible = models.BooleanField(_("can be dismissed"), default=True)
    must_acknowledge = models.BooleanField(_("must be acknowledged"), default=False)
    link_label = models.CharField(_("text of the button"), max_length=80, blank=True)
    link_url = models.CharField(_("address of the button"), max_length=2000, blank=True)
    audience = models.ForeignKey(Audience, on_delete=models.PROTECT, related_name="+")
    # When the sender fixed the audience; null while it is decided at every look who is meant.
    fixed_at = models.DateTimeField(null=True, editable=False)
    withdrawn_at = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    changed_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        # The few that can be shown are found among the many that were: those withdrawn are not in it, those that
        # ended lie before the present moment.
        indexes = [
            models.Index(fields=["ends_at"], name="notice_standing", condition=models.Q(withdrawn_at__isnull=True)),
            models.Index(fields=["-created_at", "-id"], name="notice_newest_first"),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None

    @property
    def has_ended(self) -> bool:
        return self.ends_at is not None and self.ends_at <= clock.now()


class NoticeRecipient(models.Model):
    """Somebody for whom a notice with a fixed audience is, whatever becomes of lists and products."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="recipients", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "contact"], name="one_recipient_per_notice")]

    def __str__(self) -> str:
        return f"{self.notice_id}:{self.contact_id}"


class Reading(models.Model):
    """What one person did with one notice; the row comes when they first see it and stays for ever."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="readings", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    first_seen_at = models.DateTimeField(default=clock.now)
    last_seen_at = models.DateTimeField(default=clock.now)
    dismissed_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    clicks = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "contact"], name="one_reading_per_notice_and_contact")]
        indexes = [
            models.Index(fields=["contact", "-first_seen_at"], name="reading_by_contact"),
            models.Index(fields=["notice", "-id"], name="reading_newest_first"),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id}:{self.contact_id}"
