"""The version stamps: they stay while nothing changes, and change with whatever may alter a view."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from envoi.audiences.actions import lists, products
from envoi.audiences.models import Membership, Subscription
from envoi.contacts.actions import contacts
from envoi.contacts.models import Contact
from envoi.core import clock
from envoi.delivery.tests.factories import make_contact, make_list, make_product
from envoi.notices import actions, queries
from envoi.notices.actions import bump
from envoi.notices.models import Change, Reading
from envoi.notices.queries import stamps
from envoi.notices.tests.factories import make_notice

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read again by the mere passing of time."""
    stamps.forget()
    monkeypatch.setattr(stamps, "FRESH_FOR", 3600.0)


@pytest.fixture
def ada() -> Contact:
    return make_contact("ada@example.net", first_name="Ada")


def test_an_unchanged_view_costs_no_statement(ada: Contact, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    make_notice(ada)
    first = queries.stamp_of(ada.pk)
    with django_assert_num_queries(0):
        assert [queries.stamp_of(ada.pk) for _look in range(5)] == [first] * 5


CHANGES: dict[str, Callable[[Contact], object]] = {
    "another notice": lambda ada: make_notice(ada),
    "a membership": lambda ada: products.add(make_product("Plus"), Contact.objects.filter(pk=ada.pk), actor=None),
    "a membership's end": lambda ada: products.set_membership(
        Membership.objects.get(), status=Membership.Status.EXPIRED, actor=None
    ),
    "a subscription": lambda ada: lists.add(make_list("Late"), Contact.objects.filter(pk=ada.pk), actor=None),
    "a subscription's end": lambda ada: lists.set_status(Subscription.objects.get(), "unsubscribed", actor=None),
    "another address": lambda ada: contacts.update(ada, {"address": "ada@new.example"}, actor=None),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_what_may_alter_a_view_alters_the_stamp(change: str, ada: Contact) -> None:
    make_notice(make_product("Pro", ada), make_list("Readers", ada))
    before = queries.stamp_of(ada.pk)
    CHANGES[change](ada)
    assert queries.stamp_of(ada.pk) != before


def test_a_dismissal_alters_only_the_stamp_of_that_person(ada: Contact) -> None:
    bob = make_contact("bob@example.net")
    notice = make_notice(ada, bob)
    before = queries.stamp_of(ada.pk), queries.stamp_of(bob.pk)
    actions.dismiss(notice.key, ada.pk)
    after = queries.stamp_of(ada.pk), queries.stamp_of(bob.pk)
    assert (after[0] != before[0], after[1] == before[1]) == (True, True)
    actions.undo_dismissal(Reading.objects.get(), actor=None)
    assert queries.stamp_of(ada.pk) not in (before[0], after[0])


def test_beginning_and_end_alter_the_stamp_by_themselves(ada: Contact) -> None:
    make_notice(ada, starts_at=NOON, ends_at=NOON + timedelta(hours=1))
    found = []
    for minutes in (-5, -1, 0, 30, 60, 90):
        with clock.set_to(NOON + timedelta(minutes=minutes)):
            found.append(queries.stamp_of(ada.pk))
    assert len(set(found)) == 3
    assert (found[0], found[2], found[4]) == (found[1], found[3], found[5])


def test_a_process_that_comes_after_an_end_has_the_stamp_of_those_before_it(ada: Contact) -> None:
    make_notice(ada, starts_at=NOON, ends_at=NOON + timedelta(hours=1))
    make_notice(ada, starts_at=NOON + timedelta(minutes=30))
    with clock.set_to(NOON + timedelta(minutes=40)):
        during = queries.stamp()
    with clock.set_to(NOON + timedelta(minutes=70)):
        after = queries.stamp()
        stamps.forget()
        assert queries.stamp() == after != during


def test_changes_matter_to_nobody_while_there_is_no_notice(ada: Contact) -> None:
    products.add(make_product("Plus"), Contact.objects.filter(pk=ada.pk), actor=None)
    assert not Change.objects.exists()


def test_tidying_brings_no_older_stamp_back(ada: Contact) -> None:
    with clock.set_to(NOON):
        notice = make_notice(ada, starts_at=NOON)
        seen = {queries.stamp_of(ada.pk)}
        actions.dismiss(notice.key, ada.pk)
        seen.add(queries.stamp_of(ada.pk))
    with clock.set_to(NOON + timedelta(hours=2)):
        assert bump.tidy() == 2
        stamps.forget()
        assert queries.stamp_of(ada.pk) not in seen
        assert Change.objects.count() == 1
        assert bump.tidy() == 0
