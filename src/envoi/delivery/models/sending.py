"""Who sends and over what: transports with their limits, sender identities and their routes."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from envoi.core import clock


class Transport(models.Model):
    """The way mail leaves: the sandbox mailbox or an SMTP relay, with its limits and whether it is paused."""

    class Kind(models.TextChoices):
        SANDBOX = "sandbox", _("Sandbox mailbox")
        SMTP = "smtp", _("SMTP relay")

    class Security(models.TextChoices):
        NONE = "none", _("None (only on this machine or a trusted network)")
        STARTTLS = "starttls", _("STARTTLS")
        TLS = "tls", _("TLS from the start")

    class Release(models.TextChoices):
        IMMEDIATE = "immediate", _("As soon as possible")
        QUEUED = "queued", _("In portions")

    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.SANDBOX)
    host = models.CharField(_("host"), max_length=253, blank=True)
    port = models.PositiveIntegerField(_("port"), default=587)
    security = models.CharField(_("security"), max_length=10, choices=Security, default=Security.STARTTLS)
    username = models.CharField(_("user"), max_length=254, blank=True)
    password_encrypted = models.TextField(blank=True, editable=False)
    max_connections = models.PositiveSmallIntegerField(_("connections at once"), default=4)
    messages_per_connection = models.PositiveIntegerField(_("messages per connection"), default=500)
    per_second = models.PositiveIntegerField(_("messages per second"), null=True, blank=True)
    per_hour = models.PositiveIntegerField(_("messages per hour"), null=True, blank=True)
    # Both or none, in the installation's time zone; a window may pass midnight.
    open_from = models.TimeField(_("sends from"), null=True, blank=True)
    open_until = models.TimeField(_("sends until"), null=True, blank=True)
    # ISO 8601: 1 is Monday.
    open_days = models.CharField(_("days"), max_length=7, default="1234567")
    release = models.CharField(_("sends"), max_length=9, choices=Release, default=Release.IMMEDIATE)
    portion = models.PositiveIntegerField(_("messages per run"), null=True, blank=True)
    # How often the worker makes a run of a queued transport; null leaves that to `envoi send-due`.
    portion_minutes = models.PositiveSmallIntegerField(_("minutes between runs"), null=True, blank=True)
    paused_at = models.DateTimeField(null=True, editable=False)
    paused_reason = models.TextField(blank=True, editable=False)
    # When the watchdog lets it try again; null while only a person may resume it.
    resume_at = models.DateTimeField(null=True, editable=False)
    # Whether receiving providers have limits of their own here just now, set or by a slow-down: only then messages
    # are looked at one by one.
    minds_providers = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("transport")
        verbose_name_plural = _("transports")

    def __str__(self) -> str:
        return self.name


class SenderIdentity(models.Model):
    """Who a message comes from, and the transport that carries it."""

    from_name = models.CharField(_("From name"), max_length=150, blank=True)
    from_address = models.CharField(_("From address"), max_length=254)
    reply_to = models.CharField(_("Reply-To address"), max_length=254, blank=True)
    transport = models.ForeignKey(Transport, on_delete=models.PROTECT, related_name="identities")
    # The share of `transport` beside those of the further routes.
    weight = models.PositiveSmallIntegerField(_("weight"), default=1)
    # Warm-up: on the first day so many messages, each day `warm_up_growth` percent more, until `warm_up_until`.
    warm_up_from = models.DateField(_("warm-up from"), null=True, blank=True)
    warm_up_first = models.PositiveIntegerField(_("messages on the first day"), default=200)
    warm_up_growth = models.PositiveSmallIntegerField(_("growth per day in percent"), default=50)
    warm_up_until = models.PositiveIntegerField(_("over when a day allows"), default=50_000)
    # Messages that went over `transport` lately, beside those of the further routes: see `Route.carried`.
    carried = models.PositiveBigIntegerField(default=0, editable=False)
    is_default = models.BooleanField(_("default"), default=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("sender identity")
        verbose_name_plural = _("sender identities")

    def __str__(self) -> str:
        return f"{self.from_name} <{self.from_address}>" if self.from_name else self.from_address


class Route(models.Model):
    """A further transport of a sender identity, beside its own one."""

    identity = models.ForeignKey(SenderIdentity, on_delete=models.CASCADE, related_name="routes")
    transport = models.ForeignKey(Transport, on_delete=models.PROTECT, related_name="routes")
    # Shares are in proportion to the weights; 0 carries only what the others cannot.
    weight = models.PositiveSmallIntegerField(_("weight"), default=0)
    # Messages that went over it lately; halved now and then, so that what was long ago does not have to be made up for.
    carried = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["identity", "transport"], name="one_route_per_transport")]

    def __str__(self) -> str:
        return f"{self.identity_id} over {self.transport_id}"
