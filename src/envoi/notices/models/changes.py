from __future__ import annotations

from django.db import models

from envoi.contacts.models import Contact
from envoi.core import clock


class Change(models.Model):
    """Something changed that may alter what somebody sees: everybody, or one contact.

    Rows are only added (`actions.bump`), so that writers never wait for each other; `queries.stamps` reads them, and
    `actions.bump.tidy` takes the old ones away.
    """

    contact = models.ForeignKey(Contact, null=True, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=clock.now, db_index=True)

    def __str__(self) -> str:
        return f"#{self.pk} {self.contact_id or 'everybody'}"
