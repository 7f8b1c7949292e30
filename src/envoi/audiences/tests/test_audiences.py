"""Lists, products, and who an audience names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from envoi.accounts.models import AuditEntry
from envoi.audiences import queries
from envoi.audiences.actions import lists, products
from envoi.audiences.actions.audiences import copy, save_audience
from envoi.audiences.models import Audience, Membership, Subscription
from envoi.audiences.queries import Targets
from envoi.audiences.tests.factories import make_list, make_product
from envoi.contacts.models import Contact, Kind
from envoi.contacts.tests.factories import contact
from envoi.core import clock

pytestmark = pytest.mark.django_db


def addresses(found: object) -> list[str]:
    return sorted(found.values_list("address", flat=True))  # type: ignore[attr-defined]


def test_an_audience_is_the_union_of_what_it_includes() -> None:
    ada, bob, chloe = (contact(f"{name}@example.org") for name in ("ada", "bob", "chloe"))
    contact("dmitri@example.org")
    audience = save_audience(
        None,
        include=Targets(
            lists=(make_list("Friends", ada, bob).pk,),
            products=(make_product("Basic", bob).pk,),
            contacts=(chloe.pk,),
        ),
        actor=None,
    )
    assert addresses(queries.included(audience)) == ["ada@example.org", "bob@example.org", "chloe@example.org"]
    assert addresses(queries.excluded(audience)) == []


@pytest.mark.parametrize("status", [Membership.Status.EXPIRED, Membership.Status.CANCELLED, Membership.Status.PENDING])
def test_who_is_no_longer_on_a_product_is_not_meant_by_it(status: str) -> None:
    basic = make_product("Basic", contact("ada@example.org"))
    products.add(basic, Contact.objects.filter(pk=contact("bob@example.org").pk), status, actor=None)
    audience = save_audience(None, include=Targets(products=(basic.pk,)), actor=None)
    assert addresses(queries.included(audience)) == ["ada@example.org"]
    assert addresses(queries.customers()) == ["ada@example.org"]


def test_excluding_somebody_excludes_the_address_under_every_kind() -> None:
    ada = contact("ada@example.org")
    contact("ada@example.org", kind=Kind.LEAD)
    audience = save_audience(None, include=Targets(), exclude=Targets(contacts=(ada.pk,)), actor=None)
    assert addresses(queries.excluded(audience)) == ["ada@example.org", "ada@example.org"]


def test_saving_again_replaces_and_what_is_gone_is_left_out() -> None:
    ada = contact()
    first = save_audience(None, include=Targets(contacts=(ada.pk,)), actor=None)
    again = save_audience(first, include=Targets(lists=(2**40,), contacts=(ada.pk, 2**40)), actor=None)
    assert again.pk == first.pk
    assert queries.targets_of(again) == Targets(contacts=(ada.pk,))
    copied = copy(again, actor=None)
    assert queries.targets_of(copied) == Targets(contacts=(ada.pk,))
    assert Audience.objects.count() == 2


def test_typing_finds_lists_products_and_people() -> None:
    ada = contact("ada@example.org", first_name="Ada", last_name="Lovelace")
    friends, plan = make_list("Ada's friends", ada), make_product("Adamant", ada)
    make_list("Others")
    found = queries.search_targets("ada")
    assert [(row.id, row.text, row.detail) for row in found] == [
        (f"list-{friends.pk}", "Ada's friends", "1 subscribed"),
        (f"product-{plan.pk}", "Adamant", "1 customer"),
        (f"contact-{ada.pk}", "Ada Lovelace", "ada@example.org · Contact"),
    ]
    assert queries.target_labels(queries.read_targets([row.id for row in found])) == found
    assert queries.read_targets(["list-x", "robot-1", "contact-²", f"list-{friends.pk}"] * 2).ids == [
        f"list-{friends.pk}"
    ]


def test_archived_things_are_not_offered() -> None:
    lists.archive(make_list("Friends"), actor=None)
    products.archive(make_product("Basic"), actor=None)
    assert queries.search_targets("") == []


@pytest.mark.parametrize("size", [1, 200])
def test_putting_many_on_a_list_is_one_statement(
    size: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(size):
        contact(f"p{number}@example.org")
    friends = lists.create("Friends", actor=None)
    with django_assert_max_num_queries(5):
        assert lists.add(friends, Contact.objects.all(), actor=None) == size
    assert lists.add(friends, Contact.objects.all(), actor=None) == 0
    assert friends.subscriptions.filter(status=Subscription.Status.CONFIRMED).count() == size
    entry = AuditEntry.objects.filter(verb="list_add").first()
    assert entry is not None
    assert entry.details == {"count": size}


def test_a_list_keeps_its_list_id_and_its_name_is_unique() -> None:
    friends = lists.create("  Our   Friends ", actor=None)
    assert (friends.name, friends.slug) == ("Our Friends", "our-friends")
    assert lists.create("Our friends!", actor=None).slug == "our-friends-2"
    assert lists.create("友達", actor=None).slug == "list"
    with pytest.raises(lists.NameTaken):
        lists.create("Our Friends", actor=None)
    with pytest.raises(lists.NameTaken):
        lists.change(friends, name="友達", description="", actor=None)
    lists.change(friends, name="Pals", description="", actor=None)
    friends.refresh_from_db()
    assert (friends.name, friends.slug) == ("Pals", "our-friends")


def test_taking_somebody_off_keeps_the_record_of_who_unsubscribed() -> None:
    ada, bob = contact("ada@example.org"), contact("bob@example.org")
    friends = make_list("Friends", ada, bob)
    lists.set_status(friends.subscriptions.get(contact=ada), Subscription.Status.UNSUBSCRIBED, actor=None)
    assert lists.remove(friends, Contact.objects.all(), actor=None) == 1
    assert list(friends.subscriptions.values_list("contact", "status")) == [(ada.pk, "unsubscribed")]


def test_a_membership_ends_by_itself_at_its_end() -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    ada, bob, chloe = contact("ada@example.org"), contact("bob@example.org"), contact("chloe@example.org")
    pro = make_product("Pro", ada, bob, chloe)
    ends = {ada: ("trialing", noon), bob: ("active", noon + timedelta(hours=1)), chloe: ("cancelled", noon)}
    for person, (status, at) in ends.items():
        products.set_membership(pro.memberships.get(contact=person), status=status, expires_at=at, actor=None)
    with clock.set_to(noon - timedelta(seconds=1)):
        assert products.end_those_due() == 0
    with clock.set_to(noon):
        assert products.end_those_due() == 1
        assert products.end_those_due() == 0
    states = dict(pro.memberships.values_list("contact", "status"))
    assert states == {ada.pk: "expired", bob.pk: "active", chloe.pk: "cancelled"}


def test_counts_are_one_statement_for_all_lists(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    ada = contact()
    keys = [make_list(f"L{number}", ada).pk for number in range(5)]
    with django_assert_max_num_queries(1):
        counts = queries.list_counts(keys)
    assert [counts[key] for key in keys] == [{"all": 1, "unconfirmed": 0, "confirmed": 1, "unsubscribed": 0}] * 5
