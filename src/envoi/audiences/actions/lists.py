"""Lists: make, rename, put away; put contacts on and take them off."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.audiences.events import ReachChanged, Unsubscribed
from envoi.audiences.models import AudienceMember, List, ListImport, Subscription
from envoi.audiences.queries import insert_from
from envoi.contacts.models import Contact, Import
from envoi.core import clock, events


class NameTaken(ValueError):
    """Something of this kind already has the name."""


def create(name: str, description: str = "", *, actor: User | None) -> List:
    """A new, empty list.

    Raises:
        NameTaken: another list, put away or not, has the name.
    """
    name = " ".join(name.split())
    try:
        with transaction.atomic():
            made = List.objects.create(name=name, slug=_free_slug(name), description=description.strip())
            audit.record(actor, "list_create", made)
    except IntegrityError as error:
        raise NameTaken(_("There is already a list named “%(name)s”.") % {"name": name}) from error
    return made


def change(target: List, *, name: str, description: str, actor: User | None) -> List:
    """Rename or describe the list; its List-Id stays. Raises `NameTaken`."""
    target.name, target.description = " ".join(name.split()), description.strip()
    try:
        with transaction.atomic():
            target.save(update_fields=["name", "description"])
            audit.record(actor, "list_change", target)
    except IntegrityError as error:
        raise NameTaken(_("There is already a list named “%(name)s”.") % {"name": target.name}) from error
    return target


def archive(target: List, *, actor: User | None) -> None:
    """Put the list away: it is offered no more, its subscriptions stay."""
    _set_archived(target, True, actor)


def restore(target: List, *, actor: User | None) -> None:
    """Offer the list again."""
    _set_archived(target, False, actor)


def add(target: List, contacts: QuerySet[Contact], *, actor: User | None) -> int:
    """Put `contacts` on the list, in one statement; returns how many came.

    Who stands on it already stays as they are: above all, who unsubscribed stays unsubscribed.
    """
    with transaction.atomic():
        added = subscribe(target, contacts)
        events.announce(ReachChanged())
        audit.record(actor, "list_add", target, count=added)
    return added


def subscribe(target: List, contacts: QuerySet[Contact]) -> int:
    """The statement of `add`, for who writes their own record of it (imports)."""
    now = clock.now()
    return insert_from(
        Subscription._meta.db_table,
        ("list_id", "status", "created_at", "changed_at"),
        (target.pk, Subscription.Status.CONFIRMED, now, now),
        contacts,
        with_found="contact_id",
    )


def remove(target: List, contacts: QuerySet[Contact], *, actor: User | None) -> int:
    """Take `contacts` off the list; returns how many went. Who unsubscribed stays on record as such."""
    with transaction.atomic():
        removed, _by_model = (
            target.subscriptions.filter(contact__in=contacts.order_by().values("id"))
            .exclude(status=Subscription.Status.UNSUBSCRIBED)
            .delete()
        )
        audit.record(actor, "list_remove", target, count=removed)
        events.announce(ReachChanged())
    return removed


def set_status(subscription: Subscription, status: str, *, actor: User | None) -> Subscription:
    """Confirm or end one subscription."""
    with transaction.atomic():
        subscription.status, subscription.changed_at = status, clock.now()
        subscription.save(update_fields=["status", "changed_at"])
        audit.record(actor, "subscription_change", subscription.list, contact=subscription.contact_id, status=status)
        events.announce(ReachChanged())
        if status == Subscription.Status.UNSUBSCRIBED:
            events.announce(Unsubscribed(subscription.list_id, subscription.contact_id))
    return subscription


def fill_from(of: Import, target: List, *, actor: User | None) -> ListImport:
    """Have the import put everybody it takes on the list."""
    with transaction.atomic():
        ListImport.objects.filter(of=of).delete()
        made = ListImport.objects.create(of=of, list=target)
        audit.record(actor, "list_fill", target, import_id=of.pk)
    return made


def discard_unused(made: List, *, actor: User | None) -> bool:
    """Forget a list that was made for something which then failed, if nobody came onto it; returns whether it went."""
    with transaction.atomic():
        target = List.objects.select_for_update().get(pk=made.pk)
        if target.subscriptions.exists() or AudienceMember.objects.filter(list=target).exists():
            return False
        audit.record(actor, "list_discard", target)
        target.delete()
    return True


def take_imported(import_id: int, contact_ids: Sequence[int]) -> int:
    """Put one batch of an import on the list it fills, if it fills one."""
    filling = ListImport.objects.select_related("list").filter(of=import_id).first()
    return subscribe(filling.list, Contact.objects.filter(pk__in=contact_ids)) if filling and contact_ids else 0


def _set_archived(target: List, archived: bool, actor: User | None) -> None:
    with transaction.atomic():
        target.archived_at = clock.now() if archived else None
        target.save(update_fields=["archived_at"])
        audit.record(actor, "list_archive" if archived else "list_restore", target)


def _free_slug(name: str) -> str:
    stem = slugify(name)[:50] or "list"
    taken = set(List.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return stem if stem not in taken else next(f"{stem}-{n}" for n in range(2, 10_000) if f"{stem}-{n}" not in taken)
