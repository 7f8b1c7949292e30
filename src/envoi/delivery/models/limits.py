"""What workers share to keep limits together: clocks of rates, counts of days, what is known of receiving providers."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from envoi.core import clock
from envoi.delivery.models.sending import SenderIdentity, Transport


class Pace(models.Model):
    """When a transport may carry its next message, and what is left of its run: the one clock of all workers."""

    transport = models.OneToOneField(Transport, primary_key=True, on_delete=models.CASCADE, related_name="pace")
    next_at = models.DateTimeField()
    # The same for personal mail, which goes ahead of broadcasts and pushes their slots back.
    personal_at = models.DateTimeField(null=True)
    # Of transports that send in portions: null before the first run.
    run_left = models.PositiveIntegerField(null=True)
    # When the present or last run began; the next is due `portion_minutes` later.
    run_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.transport_id} from {self.next_at:%F %T}"


class WarmUpDay(models.Model):
    """How many messages of a sender identity went out on one day, while it is warmed up."""

    identity = models.ForeignKey(SenderIdentity, on_delete=models.CASCADE, related_name="warm_up_days")
    # In the installation's time zone.
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["identity", "day"], name="one_warm_up_count_per_day")]

    def __str__(self) -> str:
        return f"{self.identity_id} {self.day:%F} {self.count}"


class MailDomain(models.Model):
    """Who receives the mail of a domain, as its MX records said."""

    name = models.CharField(max_length=253, primary_key=True)
    # As `limits.providers` groups it; the domain's own name when the records gave no answer.
    provider = models.CharField(max_length=253)
    mx = models.CharField(max_length=253, blank=True, default="")
    checked_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.name} at {self.provider}"


class ProviderLimit(models.Model):
    """What an operator allows towards one receiving provider over a transport."""

    transport = models.ForeignKey(Transport, on_delete=models.CASCADE, related_name="provider_limits")
    # "" stands for every provider without a limit of its own.
    provider = models.CharField(_("provider"), max_length=253, blank=True)
    per_minute = models.PositiveIntegerField(_("messages per minute"), null=True, blank=True)
    at_once = models.PositiveSmallIntegerField(_("messages at once"), null=True, blank=True)

    class Meta:
        verbose_name = _("limit for a provider")
        verbose_name_plural = _("limits for providers")
        constraints = [models.UniqueConstraint(fields=["transport", "provider"], name="one_limit_per_provider")]

    def __str__(self) -> str:
        return f"{self.transport_id} to {self.provider or 'others'}"


class ProviderPace(models.Model):
    """The clock of one transport towards one receiving provider, and how far it was slowed down.

    What is allowed at a moment follows from `rate`, `at_once`, `cut_at` and the time since: see `limits.slowing`.
    """

    transport = models.ForeignKey(Transport, on_delete=models.CASCADE, related_name="provider_paces")
    provider = models.CharField(max_length=253)
    next_at = models.DateTimeField()
    # Where the queue of those that were put off ends.
    put_off_to = models.DateTimeField()
    # Null while it is not slowed down.
    slowed_at = models.DateTimeField(null=True)
    cut_at = models.DateTimeField(null=True)
    # Messages per second, and messages at once, right after the last cut; and those to return to.
    rate = models.FloatField(null=True)
    full_rate = models.FloatField(null=True)
    at_once = models.PositiveSmallIntegerField(null=True)
    full_at_once = models.PositiveSmallIntegerField(null=True)
    reply = models.TextField(blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["transport", "provider"], name="one_pace_per_provider")]

    def __str__(self) -> str:
        return f"{self.transport_id} to {self.provider}"
