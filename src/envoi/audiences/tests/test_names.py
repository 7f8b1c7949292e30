"""What people and programs call lists, products and contacts."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from envoi.audiences.actions import lists
from envoi.audiences.queries import NamesUnknown, Targets, named_targets
from envoi.audiences.tests.factories import make_list, make_product
from envoi.contacts.models import Kind
from envoi.contacts.tests.factories import contact

pytestmark = pytest.mark.django_db


def test_each_is_found_by_name_or_number() -> None:
    ada, pro, friends = contact(reference="C-17"), make_product("Pro"), make_list("Vänner")
    assert named_targets(products=["Pro", pro.pk, "PRO"], lists=["vänner"], contacts=["ref:C-17", ada.pk]) == Targets(
        (friends.pk,), (pro.pk,), (ada.pk,)
    )


def test_the_exact_name_wins_and_two_that_differ_in_capitals_are_not_guessed() -> None:
    small, capital = make_product("pro"), make_product("Pro")
    assert named_targets(products=["Pro"]).products == (capital.pk,)
    assert named_targets(products=["pro"]).products == (small.pk,)
    with pytest.raises(NamesUnknown):
        named_targets(products=["PRO"])


def test_an_address_means_all_its_contacts() -> None:
    ada, lead = contact("Ada@Example.org"), contact("ada@example.org", kind=Kind.LEAD)
    assert named_targets(contacts=["mail:ada@EXAMPLE.org"]).contacts == (ada.pk, lead.pk)


def test_everything_unknown_is_told_with_its_place() -> None:
    archived = make_list("Old")
    lists.archive(archived, actor=None)
    make_product("Pro")
    with pytest.raises(NamesUnknown) as unknown:
        named_targets(products=["Pro", "Gold"], lists=["Old"], contacts=["", "id:x", "id:" + "9" * 30, 7])
    assert [(kind, place) for kind, place, _message in unknown.value.problems] == [
        ("lists", 0),
        ("products", 1),
        *(("contacts", place) for place in range(4)),
    ]
    assert "There is no product “Gold”." in str(unknown.value)


def test_many_names_take_few_statements(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    people = [contact(f"reader{number}@example.org") for number in range(30)]
    make_list("Friends")
    make_product("Pro")
    with django_assert_max_num_queries(3):
        named_targets(products=["Pro"], lists=["Friends"], contacts=[one.address for one in people])
