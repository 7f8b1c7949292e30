"""Values straight from the columns are those that a contact as a whole gives."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from envoi.contacts import queries
from envoi.contacts.models import Contact
from envoi.contacts.tests.factories import contact
from envoi.content import merge_tags
from envoi.content.compile import MISSING
from envoi.content.readers import NAME, Readers

pytestmark = pytest.mark.django_db

FIELDS = {"colour": "red", "sizes": [1, None, "ö"], "newsletter": True, "points": 2.5}


def everything() -> list[str]:
    names = sorted(merge_tags.CONTACT_NAMES - {"fields"})
    return [*(f"contact.{name}" for name in names), *(f"contact.fields.{key}" for key in FIELDS), "webview_url"]


def test_every_merge_tag_has_the_value_that_the_contact_has() -> None:
    ada = contact(first_name="Ada", last_name="Lovelace", city="London", fields=FIELDS, reference="C-1")
    readers = Readers(everything())

    (values,) = readers.load([ada.pk])

    whole = merge_tags.person(ada)["contact"]
    assert isinstance(whole, dict)
    found = {route[1:]: values[at] for route, at in readers.layout.items()}
    for name in merge_tags.CONTACT_NAMES - {"email", "address"}:
        assert found[name,] == whole[name]
    assert {key: found["fields", key] for key in FIELDS} == FIELDS


def test_who_has_no_name_is_called_by_their_organisation() -> None:
    engines = contact(organisation="Analytical Engines")
    assert Readers([]).load([engines.pk])[0][NAME] == "Analytical Engines"


def test_the_order_is_that_of_the_batch_and_who_is_gone_is_missing(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    ada, bob = contact(first_name="Ada"), contact("bob@example.org", first_name="Bob")
    readers = Readers(["contact.city"])
    with django_assert_num_queries(1):
        loaded = readers.load([bob.pk, None, ada.pk, bob.pk + 1_000, bob.pk])
    assert [values[NAME] for values in loaded] == ["Bob", MISSING, "Ada", MISSING, "Bob"]
    assert loaded[1] == (MISSING,) * readers.length


def test_only_what_the_message_shows_is_read() -> None:
    names = {route[1] for route in Readers(["contact.city", "organisation.name"]).layout}
    assert names == {"name", "first_name", "last_name", "organisation", "city"}


@pytest.mark.parametrize("variable", ["contact", "contact.['contact', 'kind']"])
def test_a_message_that_does_not_say_what_it_reads_gets_everything(variable: str) -> None:
    names = {route[1] for route in Readers([variable]).layout}
    assert names == set(merge_tags.CONTACT_NAMES) - {"email", "address"}


def test_a_further_field_that_somebody_lacks_is_missing() -> None:
    ada = contact(fields={"colour": "red"})
    readers = Readers(["contact.fields.colour", "contact.fields.nothing"])
    (values,) = readers.load([ada.pk])
    assert values[readers.layout["contact", "fields", "colour"]] == "red"
    assert values[readers.layout["contact", "fields", "nothing"]] is MISSING


def test_columns_are_read_for_thousands_in_one_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    Contact.objects.bulk_create(
        Contact(address=f"r{n}@example.org", address_key=f"r{n}@example.org", first_name=f"R{n}") for n in range(3_000)
    )
    ids = list(Contact.objects.values_list("pk", flat=True))
    with django_assert_num_queries(1):
        found = queries.columns(["first_name", "address"], ids)
    assert {row[1] for row in found} == {f"R{n}" for n in range(3_000)}
    assert queries.columns(["first_name"], []) == []
