from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from envoi.audiences.models import Audience
from envoi.content.models import Layout
from envoi.core import clock
from envoi.delivery.models import Mailing, Purpose, SenderIdentity
from envoi.notices.models import Level, Notice

# Above them stands personal mail, which no broadcast is.
PRIORITIES = (Mailing.Priority.LOW, Mailing.Priority.NORMAL, Mailing.Priority.HIGH)


class Broadcast(models.Model):
    """Goes once to each member of an audience over a channel (`channels.py`)."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SENDING = "sending", pgettext_lazy("status", "Sending")
        PAUSED = "paused", _("Paused")
        SHOWING = "showing", _("Showing")
        FINISHED = "finished", _("Finished")
        CANCELLED = "cancelled", _("Cancelled")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class BodyType(models.TextChoices):
        RICH_TEXT = "rich_text", _("Rich text")
        HTML = "html", _("HTML")

    channel = models.CharField(_("type"), max_length=20)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.DRAFT)
    subject = models.CharField(_("subject"), max_length=300, blank=True)
    preheader = models.CharField(_("preview text"), max_length=300, blank=True)
    body_type = models.CharField(_("written as"), max_length=10, choices=BodyType, default=BodyType.RICH_TEXT)
    body = models.TextField(_("content"), blank=True)
    text_body = models.TextField(_("text version"), blank=True)
    layout = models.ForeignKey(Layout, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    identity = models.ForeignKey(SenderIdentity, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(_("purpose"), max_length=15, choices=Purpose, default=Purpose.MARKETING)
    priority = models.SmallIntegerField(
        _("priority"), choices=[(one.value, one.label) for one in PRIORITIES], default=Mailing.Priority.NORMAL
    )
    track_opens = models.BooleanField(_("count opens"), default=True)
    track_clicks = models.BooleanField(_("count clicks"), default=True)
    audience = models.OneToOneField(Audience, on_delete=models.PROTECT, related_name="+")
    mailing = models.OneToOneField(Mailing, null=True, on_delete=models.PROTECT, related_name="+")
    # What stands on dashboards, once a broadcast of the channel “notice” has started.
    notice = models.OneToOneField(Notice, null=True, on_delete=models.PROTECT, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    changed_at = models.DateTimeField(default=clock.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("broadcast")
        verbose_name_plural = _("broadcasts")
        indexes = [models.Index(fields=["-created_at", "-id"], name="broadcast_newest_first")]

    def __str__(self) -> str:
        return self.subject or str(_("Untitled broadcast"))

    @property
    def is_draft(self) -> bool:
        return self.status == self.Status.DRAFT

    @property
    def mailing_status(self) -> Broadcast.Status:
        """Of the e-mail alone, which goes its own way beside a notice."""
        if self.mailing is None or self.notice_id is None:
            return self.Status(self.status)
        state = self.mailing.state
        return self.Status.SENDING if state == Mailing.State.RUNNING else self.Status(state)


class NoticePlan(models.Model):
    """How a broadcast of the channel “notice” is to be shown, and whether an e-mail follows it."""

    class Email(models.TextChoices):
        NONE = "none", _("No e-mail")
        UNSEEN = "unseen", _("Only to those who have not seen the message")
        ALL = "all", _("To everybody, at once")

    broadcast = models.OneToOneField(Broadcast, on_delete=models.CASCADE, related_name="plan")
    level = models.CharField(_("message type"), max_length=7, choices=Level, default=Level.INFO)
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    dismissible = models.BooleanField(_("can be dismissed"), default=True)
    must_acknowledge = models.BooleanField(_("must be acknowledged"), default=False)
    link_label = models.CharField(_("text of the button"), max_length=80, blank=True)
    link_url = models.CharField(_("address of the button"), max_length=2000, blank=True)
    fixed = models.BooleanField(_("only those who are targets now"), default=False)
    email = models.CharField(_("e-mail as well"), max_length=6, choices=Email, default=Email.NONE)
    email_after_hours = models.PositiveSmallIntegerField(
        _("hours to wait"), default=24, validators=[MinValueValidator(1), MaxValueValidator(24 * 30)]
    )
    # When the e-mail is to start; null without one, and once it has started or was called off.
    email_due_at = models.DateTimeField(null=True, editable=False, db_index=True)
    # Why a due e-mail did not start, for people.
    email_problem = models.TextField(blank=True, editable=False)

    def __str__(self) -> str:
        return f"notice of broadcast {self.broadcast_id}"


class FrozenContent(models.Model):
    """What a started broadcast says, and in whose name: copied when it starts, never altered afterwards.

    Whoever edits the layout, the sender identity or the organisation's address while a broadcast is under way changes
    nothing of it: the first reader and the last get the same message, and the web view stays what was sent.
    """

    broadcast = models.OneToOneField(Broadcast, on_delete=models.CASCADE, related_name="frozen")
    source = models.JSONField()
    sender = models.JSONField()
    frozen_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return f"content of broadcast {self.broadcast_id}"
