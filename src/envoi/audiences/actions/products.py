"""Products and who holds them."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.audiences.actions.lists import NameTaken
from envoi.audiences.events import ReachChanged
from envoi.audiences.models import Membership, Product
from envoi.audiences.queries import insert_from
from envoi.contacts.models import Contact
from envoi.core import clock
from envoi.core.events import announce


def create(name: str, type_: str = Product.Type.PLAN, description: str = "", *, actor: User | None) -> Product:
    """A new product. Raises `NameTaken`."""
    return _saved(Product(), name, type_, description, "product_create", actor)


def change(product: Product, *, name: str, type_: str, description: str, actor: User | None) -> Product:
    """Rename or describe the product. Raises `NameTaken`."""
    return _saved(product, name, type_, description, "product_change", actor)


def archive(product: Product, *, actor: User | None) -> None:
    """Put the product away: it is offered no more, its memberships stay."""
    _set_archived(product, True, actor)


def restore(product: Product, *, actor: User | None) -> None:
    """Offer the product again."""
    _set_archived(product, False, actor)


def add(
    product: Product, contacts: QuerySet[Contact], status: str = Membership.Status.ACTIVE, *, actor: User | None
) -> int:
    """Give `contacts` a membership, in one statement; returns how many are new. Existing ones stay as they are."""
    with transaction.atomic():
        added = insert_from(
            Membership._meta.db_table,
            ("product_id", "status", "started_at"),
            (product.pk, status, clock.now()),
            contacts,
            with_found="contact_id",
        )
        audit.record(actor, "membership_add", product, count=added, status=status)
        announce(ReachChanged())
    return added


def set_membership(
    membership: Membership, *, status: str, expires_at: datetime | None = None, actor: User | None
) -> Membership:
    """Change the status of one membership and when it ends."""
    with transaction.atomic():
        membership.status, membership.expires_at = status, expires_at
        membership.save(update_fields=["status", "expires_at"])
        audit.record(actor, "membership_change", membership.product, contact=membership.contact_id, status=status)
        announce(ReachChanged())
    return membership


def end_those_due() -> int:
    """Let memberships expire whose end has come; how many. One statement, and nobody is told when none is due."""
    due = Membership.objects.filter(
        status__in=Membership.CURRENT, expires_at__isnull=False, expires_at__lte=clock.now()
    )
    with transaction.atomic():
        ended = due.update(status=Membership.Status.EXPIRED)
        if ended:
            announce(ReachChanged())
    return ended


def remove(product: Product, contacts: QuerySet[Contact], *, actor: User | None) -> int:
    """End the memberships of `contacts` as if they had never been; returns how many."""
    with transaction.atomic():
        removed, _by_model = product.memberships.filter(contact__in=contacts.order_by().values("id")).delete()
        audit.record(actor, "membership_remove", product, count=removed)
        announce(ReachChanged())
    return removed


def _saved(product: Product, name: str, type_: str, description: str, verb: str, actor: User | None) -> Product:
    product.name, product.type, product.description = " ".join(name.split()), type_, description.strip()
    try:
        with transaction.atomic():
            product.save()
            audit.record(actor, verb, product)
    except IntegrityError as error:
        raise NameTaken(_("There is already a product named “%(name)s”.") % {"name": product.name}) from error
    return product


def _set_archived(product: Product, archived: bool, actor: User | None) -> None:
    with transaction.atomic():
        product.archived_at = clock.now() if archived else None
        product.save(update_fields=["archived_at"])
        audit.record(actor, "product_archive" if archived else "product_restore", product)
