"""The people of the story: how many there are of each sort is chosen beforehand, so that every count is certain."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models import QuerySet

from envoi.audiences.actions import lists as list_actions
from envoi.audiences.actions import products as product_actions
from envoi.audiences.models import Subscription
from envoi.audiences.queries import Targets
from envoi.contacts.actions import contacts as contact_actions
from envoi.contacts.models import Contact, Kind, Suppression
from envoi.core import clock
from envoi.delivery.actions import setup
from envoi.delivery.models import Delivery, SenderIdentity
from envoi.demo import texts
from envoi.demo.people import Person, people
from envoi.instance.actions import change

Reason = Delivery.SkipReason


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come out.

    Attributes:
        recipients: how many messages.
        skipped: skip reason → how many people.
        never: addresses that must get nothing.
    """

    recipients: int
    included: Targets
    excluded: Targets
    skipped: dict[str, int]
    never: frozenset[str] = field(repr=False)


def fill(recipients: int) -> Expected:
    """Make `recipients` people who get the mail and, of each skip reason, a hundredth as many who do not."""
    few = max(1, recipients // 100)
    cast = list(people(recipients + 4 * few, seed=recipients))
    groups = _grouped(cast, recipients, few)
    introduce()
    for group, members in groups.items():
        contact_actions.create_many(_contact(person, group) for person in members)
    contact_actions.create_many(_same_address(person) for person in cast[:few])
    included, excluded = _target()
    for group, reason in (
        ("suppressed", Suppression.Reason.HARD_BOUNCE),
        ("gone", Suppression.Reason.UNSUBSCRIBED),
    ):
        _suppress(groups[group], reason)
    reasons = (Reason.SUPPRESSED, Reason.UNSUBSCRIBED, Reason.NO_CONSENT, Reason.EXCLUDED, Reason.DUPLICATE_ADDRESS)
    return Expected(
        recipients=recipients,
        included=included,
        excluded=excluded,
        skipped={reason.value: few for reason in reasons},
        never=frozenset(person.address for person in cast[recipients:]),
    )


def _grouped(cast: list[Person], recipients: int, few: int) -> dict[str, list[Person]]:
    """Two thirds come by a list, three in ten by a product, the rest by both; then those who must get nothing."""
    by_list, by_product = recipients * 2 // 3, recipients * 3 // 10
    sizes = {
        "by list": by_list,
        "by product": by_product,
        "by both": recipients - by_list - by_product,
        "suppressed": few,
        "gone": few,
        "unconfirmed": few,
        "staff": few,
    }
    groups, start = {}, 0
    for name, size in sizes.items():
        groups[name] = cast[start : start + size]
        start += size
    return groups


def introduce() -> None:
    """Give the organisation its name and its sender."""
    change({"organisation_name": texts.ORGANISATION, "postal_address": texts.POSTAL_ADDRESS}, actor=None)
    setup.ensure_defaults()
    SenderIdentity.objects.filter(is_default=True).update(from_name=texts.FROM_NAME, from_address=texts.FROM_ADDRESS)


def _target() -> tuple[Targets, Targets]:
    newsletter = list_actions.create("Newsletter", actor=None)
    product = product_actions.create("Pro", actor=None)
    employees = list_actions.create("Staff", actor=None)
    readers = ("by list", "by both", "suppressed", "gone", "unconfirmed", "staff", "same address")
    list_actions.add(newsletter, _in(*readers), actor=None)
    product_actions.add(product, _in("by product", "by both"), actor=None)
    list_actions.add(employees, _in("staff"), actor=None)
    newsletter.subscriptions.filter(contact__reference="unconfirmed").update(
        status=Subscription.Status.UNCONFIRMED, changed_at=clock.now()
    )
    return Targets(lists=(newsletter.pk,), products=(product.pk,)), Targets(lists=(employees.pk,))


def _suppress(some: list[Person], reason: str) -> None:
    Suppression.objects.bulk_create(
        [Suppression(address_key=person.address, reason=reason, source="demo") for person in some], batch_size=1000
    )


def _contact(person: Person, group: str) -> Contact:
    return Contact(reference=group, **{name: getattr(person, name) for name in person.__slots__})


def _same_address(person: Person) -> Contact:
    """Another contact of another kind with the same address: must not get a second copy."""
    other = Kind.LEAD if person.kind != Kind.LEAD else Kind.CONTACT
    return Contact(kind=other, address=person.address, first_name=person.first_name, reference="same address")


def _in(*groups: str) -> QuerySet[Contact]:
    return Contact.objects.filter(reference__in=groups)
