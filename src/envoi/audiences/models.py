from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from envoi.contacts.models import Contact, Import
from envoi.core import clock


class List(models.Model):
    """A group of contacts kept by hand."""

    name = models.CharField(_("name"), max_length=150, unique=True)
    slug = models.SlugField(max_length=60, unique=True, help_text=_("Names the list in the List-Id header; it stays."))
    description = models.TextField(_("description"), blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    archived_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("list")
        verbose_name_plural = _("lists")

    def __str__(self) -> str:
        return self.name


class Subscription(models.Model):
    """A contact on a list."""

    class Status(models.TextChoices):
        UNCONFIRMED = "unconfirmed", _("Unconfirmed")
        CONFIRMED = "confirmed", _("Confirmed")
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")

    # No index of its own: both below begin with it.
    list = models.ForeignKey(List, on_delete=models.CASCADE, related_name="subscriptions", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.CONFIRMED)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    changed_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["list", "contact"], name="one_subscription_per_list_and_contact")
        ]
        indexes = [
            models.Index(fields=["list", "status", "contact"], name="subscription_by_status"),
            models.Index(fields=["list", "created_at", "id"], name="subscription_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.list_id}:{self.contact_id} {self.status}"


class Product(models.Model):
    """What customers are subscribed to."""

    class Type(models.TextChoices):
        PLAN = "plan", _("Plan")
        ADD_ON = "add_on", _("Add-on")

    name = models.CharField(_("name"), max_length=150, unique=True)
    type = models.CharField(_("type"), max_length=10, choices=Type, default=Type.PLAN)
    description = models.TextField(_("description"), blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    archived_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A contact on a product: what makes a contact a customer."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        TRIALING = "trialing", _("Trialing")
        ACTIVE = "active", _("Active")
        ON_HOLD = "on_hold", _("On hold")
        EXPIRED = "expired", _("Expired")
        CANCELLED = "cancelled", pgettext_lazy("membership", "Cancelled")

    # Who counts as "on the product" when it is a target: seed A3's fault was to mail the expired and cancelled too.
    CURRENT = (Status.TRIALING, Status.ACTIVE, Status.ON_HOLD)
    ENDED = (Status.EXPIRED, Status.CANCELLED)

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    # No index of its own: both below begin with it.
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.ACTIVE)
    started_at = models.DateTimeField(_("started"), default=clock.now)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(fields=["contact", "product"], name="one_membership_per_contact_and_product")
        ]
        indexes = [
            models.Index(fields=["product", "status", "contact"], name="membership_by_status"),
            models.Index(fields=["product", "started_at", "id"], name="membership_by_age"),
            # Those that end by themselves, so that ending them costs nothing while none is due.
            models.Index(
                fields=["expires_at"],
                name="membership_ends",
                condition=models.Q(status__in=["trialing", "active", "on_hold"], expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact_id}:{self.product_id} {self.status}"


class Audience(models.Model):
    """Who something is for: the union of what is included, minus what is excluded (by contact and by address)."""

    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return f"audience {self.pk}"


class AudienceMember(models.Model):
    """One list, product or contact that an audience includes or excludes."""

    class Side(models.TextChoices):
        INCLUDE = "include", _("Include")
        EXCLUDE = "exclude", _("Exclude")

    audience = models.ForeignKey(Audience, on_delete=models.CASCADE, related_name="members")
    side = models.CharField(max_length=8, choices=Side, default=Side.INCLUDE)
    list = models.ForeignKey(List, null=True, on_delete=models.CASCADE, related_name="+")
    product = models.ForeignKey(Product, null=True, on_delete=models.CASCADE, related_name="+")
    contact = models.ForeignKey(Contact, null=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="audience_member_is_one_thing",
                condition=(
                    Q(list__isnull=False, product__isnull=True, contact__isnull=True)
                    | Q(list__isnull=True, product__isnull=False, contact__isnull=True)
                    | Q(list__isnull=True, product__isnull=True, contact__isnull=False)
                ),
            )
        ]
        # Whether an audience names one product, list or contact is asked for each notice at each look.
        indexes = [
            models.Index(
                fields=["audience", name], name=f"audience_member_{name}", condition=Q(**{f"{name}__isnull": False})
            )
            for name in ("product", "list", "contact")
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.list_id or self.product_id or self.contact_id}"


class ListImport(models.Model):
    """An import of contacts that fills a list. Stands here because contacts know no lists."""

    of = models.OneToOneField(Import, on_delete=models.CASCADE, related_name="+")
    list = models.ForeignKey(List, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.of_id} → {self.list_id}"
