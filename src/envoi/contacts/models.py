from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from envoi.core import clock, text


class Kind(models.TextChoices):
    CONTACT = "contact", _("Contact")
    LEAD = "lead", _("Lead")
    ACCOUNT = "account", _("Account")
    USER = "user", _("User")


class Contact(models.Model):
    """A person or organisation with an address. The same address may stand once in each kind."""

    SEARCHED = ("address_key", "first_name", "last_name", "organisation", "city", "reference")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.CONTACT)
    address = models.CharField(_("e-mail address"), max_length=254)
    address_key = models.CharField(max_length=254, editable=False, db_index=True)
    first_name = models.CharField(_("first name"), max_length=200, blank=True)
    last_name = models.CharField(_("last name"), max_length=200, blank=True)
    organisation = models.CharField(_("organisation"), max_length=200, blank=True)
    phone = models.CharField(_("telephone"), max_length=60, blank=True)
    city = models.CharField(_("city"), max_length=200, blank=True)
    country = models.CharField(_("country"), max_length=100, blank=True)
    language = models.CharField(_("language"), max_length=20, blank=True)
    reference = models.CharField(_("reference"), max_length=200, blank=True)
    fields = models.JSONField(_("further fields"), default=dict, blank=True)
    # Address, names, organisation, city and reference in lower case without accents: SQLite compares only ASCII
    # letters without case, and one column is searched faster than six.
    search_text = models.TextField(blank=True, default="", editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [models.UniqueConstraint(fields=["kind", "address_key"], name="one_contact_per_kind_and_address")]
        indexes = [
            models.Index(fields=["last_name", "first_name", "id"], name="contact_by_name"),
            models.Index(fields=["organisation", "id"], name="contact_by_organisation"),
            models.Index(fields=["language"], name="contact_by_language"),
            models.Index(fields=["-created_at", "-id"], name="contact_newest_first"),
            models.Index(fields=["reference", "id"], name="contact_by_reference", condition=~models.Q(reference="")),
        ]

    def __str__(self) -> str:
        return self.name or self.address

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.search_text = self.searchable()
        super().save(*args, **kwargs)

    def searchable(self) -> str:
        """What `search_text` must hold; who writes contacts in bulk sets it from here."""
        return text.folded(" ".join(filter(None, (getattr(self, name) for name in self.SEARCHED))))

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.organisation


class FieldDefinition(models.Model):
    """A further field of contacts that this installation uses; its value stands in `Contact.fields[key]`."""

    class Type(models.TextChoices):
        TEXT = "text", _("Text")
        NUMBER = "number", _("Number")
        DATE = "date", _("Date")
        YES_NO = "yes_no", _("Yes or no")

    key = models.SlugField(_("key"), max_length=60, unique=True)
    label = models.CharField(_("label"), max_length=100)
    type = models.CharField(_("type"), max_length=10, choices=Type, default=Type.TEXT)

    class Meta:
        ordering = ["label"]

    def __str__(self) -> str:
        return self.label


class Suppression(models.Model):
    """An address never to be mailed again, whoever holds it, until an operator lifts it."""

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
        HARD_BOUNCE = "hard_bounce", _("Hard bounce")
        COMPLAINT = "complaint", _("Complaint")
        MANUAL = "manual", _("Entered by hand")
        ERASED = "erased", _("Erased")

    address_key = models.CharField(_("e-mail address"), max_length=254, unique=True)
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    source = models.CharField(_("source"), max_length=200, blank=True)
    created_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")

    def __str__(self) -> str:
        return self.address_key


class Import(models.Model):
    """One file of contacts on its way in: what it is, how its columns are read, how far it is, what came of it."""

    class Status(models.TextChoices):
        MAPPING = "mapping", _("Waiting for its columns to be matched")
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        FINISHED = "finished", _("Finished")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    OPEN = (Status.MAPPING, Status.QUEUED, Status.RUNNING)

    file_name = models.CharField(max_length=255)
    # Key of its pieces. Of imports begun before 2026-11-21: the name of a file in the data folder.
    stored_as = models.CharField(max_length=255)
    size = models.BigIntegerField()
    encoding = models.CharField(max_length=20)
    delimiter = models.CharField(max_length=4)
    # Records before the first one with data: titles, blank lines and the header.
    skip = models.PositiveIntegerField(default=0)
    columns = models.JSONField(default=list)
    # Number of the column (from 0, as text) → name of a field, or "field:<key>" of a further field.
    mapping = models.JSONField(default=dict)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.CONTACT)
    update_existing = models.BooleanField(default=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.MAPPING)
    # Bytes read while the file is checked: how far that is.
    position = models.BigIntegerField(default=0)
    # Rows in the whole file, known once it was read through and found whole; nothing is taken before.
    total = models.BigIntegerField(null=True)
    # Rows done. Written in the transaction of the batch, so a killed import goes on exactly there.
    rows = models.BigIntegerField(default=0)
    created = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    # Rows taken whose address is suppressed: they are kept up to date, but subscribed to nothing.
    suppressed = models.BigIntegerField(default=0)
    problem = models.TextField(blank=True)
    # When rows were last taken: an import that stands still is woken.
    touched_at = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.file_name


class ImportPiece(models.Model):
    """A part of a file that waits to be imported: 256 KB of it, the last one less, deflated (zlib).

    No foreign key: the file stands here before anybody knows whether it can be imported at all.
    """

    stored_as = models.CharField(max_length=255)
    number = models.PositiveIntegerField()
    content = models.BinaryField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stored_as", "number"], name="import_piece_in_its_file")]

    def __str__(self) -> str:
        return f"{self.stored_as} {self.number}"


class ImportProblem(models.Model):
    """One row of a file that was not taken, with its line, the column at fault and the reason."""

    of = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="problems")
    line = models.BigIntegerField()
    column = models.CharField(max_length=200, blank=True)
    value = models.CharField(max_length=300, blank=True)
    reason = models.CharField(max_length=400)

    class Meta:
        indexes = [models.Index(fields=["of", "line"], name="import_problem_by_line")]

    def __str__(self) -> str:
        return f"{self.line}: {self.reason}"
