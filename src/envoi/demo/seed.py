"""Fill an empty installation with a believable organisation.

Guarantee: one transaction; an installation that holds contacts already is not touched.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random

from django.db import transaction
from django.db.models import QuerySet

from envoi.accounts.models import User
from envoi.audiences.actions import lists as list_actions
from envoi.audiences.actions import products as product_actions
from envoi.audiences.models import List, Membership, Product, Subscription
from envoi.contacts.actions import contacts as contact_actions
from envoi.contacts.models import Contact, Suppression
from envoi.core import clock
from envoi.delivery.actions import setup
from envoi.delivery.models import SenderIdentity
from envoi.demo import history, texts
from envoi.demo.people import Person, people
from envoi.instance.actions import change

PEOPLE = 1000


class NotEmpty(Exception):
    """There are contacts already: seeding would mix invented people with real ones."""


def seed(count: int = PEOPLE, *, actor: User | None = None) -> None:
    """Organisation, sender, `count` contacts, products, lists, suppressions, a finished broadcast, a message
    on dashboards and a draft.

    Raises:
        NotEmpty: the installation holds contacts.
    """
    with transaction.atomic():
        if Contact.objects.exists():
            raise NotEmpty("The demo organisation needs an installation without contacts.")
        chance = Random(count)  # noqa: S311
        introduce_organisation(actor)
        contact_actions.create_many(_arrived(person, chance) for person in people(count))
        sell_products(chance, actor)
        fill_lists(chance, actor)
        suppress_some(chance)
        history.finished_newsletter(chance, actor=actor)
        history.message_on_dashboards(chance, actor=actor)
        history.draft_to_send(actor=actor)


def _arrived(person: Person, chance: Random) -> Contact:
    """One of the people, who came within the last two years, and before the newsletter was sent."""
    at = clock.now() - history.AGO - timedelta(days=chance.uniform(1, 700))
    return Contact(created_at=at, updated_at=at, **{name: getattr(person, name) for name in person.__slots__})


def introduce_organisation(actor: User | None) -> None:
    change({"organisation_name": texts.ORGANISATION, "postal_address": texts.POSTAL_ADDRESS}, actor=actor)
    setup.ensure_defaults()
    SenderIdentity.objects.filter(is_default=True).update(from_name=texts.FROM_NAME, from_address=texts.FROM_ADDRESS)


def sell_products(chance: Random, actor: User | None) -> None:
    """About two in three become customers; some memberships are on trial, ended or cancelled."""
    made = {name: product_actions.create(name, type_, text, actor=actor) for name, type_, text in texts.PRODUCTS}
    ids = _ids()
    chance.shuffle(ids)
    tenth = max(1, len(ids) // 10)
    plans = {"Starter": ids[: 3 * tenth], "Pro": ids[3 * tenth : 5 * tenth], "Business": ids[5 * tenth : 6 * tenth + 1]}
    for name, members in plans.items():
        _sell(made[name], members, chance, actor)
    customers = [key for members in plans.values() for key in members]
    for name, share in (("Shop", 0.2), ("Mailboxes", 0.3)):
        _sell(made[name], [key for key in customers if chance.random() < share], chance, actor)


def _sell(product: Product, members: list[int], chance: Random, actor: User | None) -> None:
    left = set(members)
    for status, share in (
        (Membership.Status.TRIALING, 0.06),
        (Membership.Status.EXPIRED, 0.05),
        (Membership.Status.CANCELLED, 0.04),
    ):
        some = {key for key in sorted(left) if chance.random() < share}
        product_actions.add(product, _contacts(some), status, actor=actor)
        left -= some
    product_actions.add(product, _contacts(left), actor=actor)


def fill_lists(chance: Random, actor: User | None) -> None:
    """Seven in ten read the newsletter; some have not confirmed, some have left."""
    shares = {"newsletter": 0.7, "beta-testers": 0.08, "evenements": 0.9}
    for name, slug, description in texts.LISTS:
        made = list_actions.create(name, description, actor=actor)
        List.objects.filter(pk=made.pk).update(slug=slug)
        offered = _ids(language="fr") if slug == "evenements" else _ids()
        list_actions.add(made, _contacts({key for key in offered if chance.random() < shares[slug]}), actor=actor)
        _some_unconfirmed_or_gone(made, chance)


def _some_unconfirmed_or_gone(target: List, chance: Random) -> None:
    on_it = list(target.subscriptions.order_by("contact_id").values_list("contact_id", flat=True))
    chance.shuffle(on_it)
    few = len(on_it) // 25
    for status, members in (
        (Subscription.Status.UNCONFIRMED, on_it[:few]),
        (Subscription.Status.UNSUBSCRIBED, on_it[few : 2 * few]),
    ):
        target.subscriptions.filter(contact_id__in=members).update(status=status, changed_at=clock.now())


def suppress_some(chance: Random) -> None:
    """A few addresses that must not be mailed, each for another reason."""
    keys = list(Contact.objects.order_by("pk").values_list("address_key", flat=True))
    reasons = (
        [Suppression.Reason.UNSUBSCRIBED] * 9
        + [Suppression.Reason.HARD_BOUNCE] * 7
        + [Suppression.Reason.COMPLAINT] * 2
        + [Suppression.Reason.MANUAL] * 2
    )
    chosen = chance.sample(keys, min(len(keys) // 20, len(reasons)))
    Suppression.objects.bulk_create(
        Suppression(address_key=key, reason=reason, source="demo", created_at=clock.now())
        for key, reason in zip(chosen, reasons, strict=False)
    )


def _ids(**wanted: str) -> list[int]:
    return list(Contact.objects.filter(**wanted).order_by("pk").values_list("pk", flat=True))


def _contacts(ids: set[int]) -> QuerySet[Contact]:
    return Contact.objects.filter(pk__in=ids)
