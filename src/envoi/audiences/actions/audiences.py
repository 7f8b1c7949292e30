"""Say who something is for."""

from __future__ import annotations

from django.db import transaction

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.audiences.events import AudienceSaved
from envoi.audiences.models import Audience, AudienceMember, List, Product
from envoi.audiences.queries import Targets
from envoi.contacts.models import Contact
from envoi.core.events import announce

NOBODY = Targets()


def save_audience(
    audience: Audience | None, *, include: Targets, exclude: Targets = NOBODY, actor: User | None
) -> Audience:
    """Make the audience (a new one for None) exactly this; what is gone meanwhile is left out."""
    with transaction.atomic():
        saved = audience or Audience.objects.create()
        saved.members.all().delete()
        AudienceMember.objects.bulk_create(
            [
                *_members(saved, AudienceMember.Side.INCLUDE, include),
                *_members(saved, AudienceMember.Side.EXCLUDE, exclude),
            ]
        )
        audit.record(actor, "audience_save", saved, include=include.ids[:50], exclude=exclude.ids[:50])
        announce(AudienceSaved(saved.pk))
    return saved


def copy(audience: Audience, *, actor: User | None) -> Audience:
    """Another audience that names the same."""
    with transaction.atomic():
        made = Audience.objects.create()
        AudienceMember.objects.bulk_create(
            [
                AudienceMember(
                    audience=made,
                    side=row.side,
                    list_id=row.list_id,
                    product_id=row.product_id,
                    contact_id=row.contact_id,
                )
                for row in audience.members.order_by("id")
            ]
        )
        audit.record(actor, "audience_copy", made, of=audience.pk)
    return made


def _members(audience: Audience, side: str, targets: Targets) -> list[AudienceMember]:
    lists = set(List.objects.filter(pk__in=targets.lists).values_list("pk", flat=True))
    products = set(Product.objects.filter(pk__in=targets.products).values_list("pk", flat=True))
    contacts = set(Contact.objects.filter(pk__in=targets.contacts).values_list("pk", flat=True))
    return [
        *(AudienceMember(audience=audience, side=side, list_id=key) for key in targets.lists if key in lists),
        *(AudienceMember(audience=audience, side=side, product_id=key) for key in targets.products if key in products),
        *(AudienceMember(audience=audience, side=side, contact_id=key) for key in targets.contacts if key in contacts),
    ]
