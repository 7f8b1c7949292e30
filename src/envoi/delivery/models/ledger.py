"""The ledger: mailings, one row per message and address, and the tallies of both."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _

from envoi.contacts.models import Contact
from envoi.core import clock, keys
from envoi.delivery.models.sending import SenderIdentity, Transport


class Purpose(models.TextChoices):
    MARKETING = "marketing", _("Marketing")
    INFORMATIONAL = "informational", _("Informational")
    TRANSACTIONAL = "transactional", _("Transactional")


class Mailing(models.Model):
    """One order to the delivery engine: send what this composer composes to these ledger rows.

    The engine knows what to write only through `composer`, a name under which an upper layer registered a `Composer`.
    `paused_at` and the like are the operator's word; whether rows are left is asked of the ledger.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        CANCELLED = "cancelled", _("Cancelled")
        FINISHED = "finished", _("Finished")

    class Priority(models.IntegerChoices):
        LOW = -10, _("Low")
        NORMAL = 0, _("Normal")
        HIGH = 10, _("High")
        # Single messages that a person or a system waits for.
        PERSONAL = 20, _("Personal")

    key = models.CharField(max_length=16, unique=True, default=keys.random_key, editable=False)
    # What the mailing is for, such as "broadcast:12": unique, so that the same thing is never started twice.
    reference = models.CharField(max_length=60, unique=True)
    composer = models.CharField(max_length=40)
    purpose = models.CharField(max_length=15, choices=Purpose, default=Purpose.MARKETING)
    identity = models.ForeignKey(SenderIdentity, on_delete=models.PROTECT, related_name="+")
    message_id_domain = models.CharField(max_length=253)
    # What is more urgent goes first; equals share fairly.
    priority = models.SmallIntegerField(_("priority"), choices=Priority, default=Priority.NORMAL)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    state_reason = models.TextField(blank=True)
    state_changed_at = models.DateTimeField(default=clock.now)
    state_changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Rows of the ledger, fixed by the freeze.
    total = models.BigIntegerField(default=0)
    # When a sender last began a turn for it.
    turn_at = models.DateTimeField(null=True)
    # All of its rows have ids from `first_id` to `last_id`; up to `leased_to` each was leased once.
    first_id = models.BigIntegerField(default=0)
    last_id = models.BigIntegerField(default=0)
    leased_to = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.composer} {self.key}"

    def message_id(self, key: str) -> str:
        """The Message-ID of the row with this key, in angle brackets."""
        return f"<{key}.{self.key}@{self.message_id_domain}>"


class Delivery(models.Model):
    """One message to one address: the ledger row. Its states are those of the delivery contract.

    From pending to sent no column changes that an index knows, so that PostgreSQL writes no index entry for it (a
    heap-only update: a fifth of the work); hence `attention`, and no index on `state`. No foreign keys in the database
    either: their triggers cost more than the row.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        # These two stand in no row: a pending row is in one of them while a lease says so.
        LEASED = "leased", _("Being sent")
        IN_DOUBT = "in_doubt", _("Being sent (handed over, answer awaited)")
        SENT = "sent", _("Sent")
        DEFERRED = "deferred", _("Deferred")
        FAILED = "failed", _("Failed")
        # The relay took it, and it came back: RFC 3464.
        BOUNCED = "bounced", _("Bounced")
        UNKNOWN = "unknown", _("Outcome unknown")
        SKIPPED = "skipped", _("Skipped")

    TERMINAL = (State.SENT, State.FAILED, State.BOUNCED, State.SKIPPED, State.UNKNOWN)
    OPEN = (State.PENDING, State.DEFERRED)

    class SkipReason(models.TextChoices):
        SUPPRESSED = "suppressed", _("Suppressed address")
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
        EXCLUDED = "excluded", _("Excluded")
        INVALID_ADDRESS = "invalid_address", _("Invalid address")
        DUPLICATE_ADDRESS = "duplicate_address", _("Duplicate address")
        NO_CONSENT = "no_consent", _("No consent")
        FREQUENCY_CAP = "frequency_cap", _("Frequency cap")
        RENDER_ERROR = "render_error", _("Message could not be rendered")
        CANCELLED = "cancelled", _("Cancelled")
        SEEN_NOTICE = "seen_notice", _("Saw the message on a dashboard")

    mailing = models.ForeignKey(
        Mailing, on_delete=models.CASCADE, related_name="deliveries", db_index=False, db_constraint=False
    )
    contact = models.ForeignKey(
        Contact, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False, db_constraint=False
    )
    # Over which the last attempt went.
    transport = models.ForeignKey(
        Transport, null=True, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    address = models.CharField(max_length=254)
    address_key = models.CharField(max_length=254)
    # 0 in the one row of an address that may be sent; the contact's id in rows that the freeze skipped.
    twin = models.BigIntegerField(default=0)
    key = models.CharField(max_length=16)
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    # The state again, where somebody may look for the row: not of sent ones, nor of those that wait for the first time.
    attention = models.GeneratedField(
        expression=Case(
            When(state=State.SENT, then=Value(None)),
            When(state=State.PENDING, retry_at=None, then=Value(None)),
            default=F("state"),
        ),
        output_field=models.CharField(max_length=8, null=True),
        db_persist=True,
    )
    skip_reason = models.CharField(max_length=17, choices=SkipReason, blank=True, default="")
    detail = models.CharField(max_length=500, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    # Of deferred rows when to try again, of pending ones that came back since when they wait; of unknown ones when the
    # rule ends the doubt, null once it has.
    retry_at = models.DateTimeField(null=True)
    first_attempt_at = models.DateTimeField(null=True)
    state_at = models.DateTimeField(default=clock.now)
    reply_code = models.PositiveSmallIntegerField(null=True)
    reply_status = models.CharField(max_length=12, blank=True, default="")
    reply_text = models.CharField(max_length=1000, blank=True, default="")
    # Of unknown rows whose worker died: its name and lease, by which its journal may end the doubt.
    doubt_worker = models.CharField(max_length=60, blank=True, default="")
    doubt_lease = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(
                fields=["mailing", "address_key", "twin"], name="one_delivery_per_mailing_and_address"
            ),
            models.CheckConstraint(condition=Q(twin=0) | Q(state="skipped"), name="only_skipped_deliveries_are_twins"),
        ]
        # None of these holds a row that is pending for the first time, or sent.
        indexes = [
            models.Index(fields=["contact", "-id"], name="delivery_by_contact"),
            models.Index(
                fields=["mailing", "attention", "id"],
                name="delivery_by_attention",
                condition=Q(attention__isnull=False),
            ),
            models.Index(fields=["mailing", "retry_at"], name="delivery_due", condition=Q(attention="deferred")),
            models.Index(fields=["retry_at"], name="delivery_in_doubt", condition=Q(attention="unknown")),
        ]

    def __str__(self) -> str:
        return f"{self.address} {self.state}"

    @property
    def message_id(self) -> str:
        """The same on every attempt, since both keys are stored before the first."""
        return self.mailing.message_id(self.key)


class Tally(models.Model):
    """How many deliveries of a mailing came to a state in one minute, or left it again (negative).

    Written in the transaction of the batch it counts, so that progress costs a few rows where the ledger has millions;
    the sum over all minutes is the number of rows in that state. States that last seconds are not counted.
    """

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="tallies")
    minute = models.DateTimeField()
    state = models.CharField(max_length=8, choices=Delivery.State)
    skip_reason = models.CharField(max_length=17, choices=Delivery.SkipReason, blank=True, default="")
    count = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mailing", "minute", "state", "skip_reason"], name="one_tally_per_minute_and_state"
            )
        ]

    def __str__(self) -> str:
        return f"{self.mailing_id} {self.minute:%F %H:%M} {self.state} {self.count}"
