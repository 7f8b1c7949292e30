"""Who sees a notice, when, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from envoi.audiences.actions import lists, products
from envoi.audiences.models import Membership, Subscription
from envoi.contacts.models import Contact, Kind
from envoi.core import clock
from envoi.delivery.tests.factories import make_contact, make_list, make_product, suppress
from envoi.instance import actions as instance
from envoi.notices import actions, queries
from envoi.notices.models import NoticeRecipient, Reading
from envoi.notices.queries import stamps
from envoi.notices.tests.factories import make_notice, subjects

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def ada() -> Contact:
    return make_contact("ada@example.net", first_name="Ada")


@pytest.fixture
def bob() -> Contact:
    return make_contact("bob@example.net", first_name="Bob")


def test_who_buys_the_product_later_sees_it_and_who_leaves_does_not(ada: Contact, bob: Contact) -> None:
    pro = make_product("Pro", ada)
    make_notice(pro)
    assert (subjects(ada), subjects(bob)) == (["Maintenance tonight"], [])
    products.add(pro, Contact.objects.filter(pk=bob.pk), actor=None)
    membership = Membership.objects.get(contact=ada)
    products.set_membership(membership, status=Membership.Status.CANCELLED, actor=None)
    assert (subjects(ada), subjects(bob)) == ([], ["Maintenance tonight"])


def test_whose_membership_ends_by_itself_sees_it_no_more(ada: Contact) -> None:
    pro = make_product("Pro", ada)
    membership = Membership.objects.get(contact=ada)
    products.set_membership(membership, status=Membership.Status.ACTIVE, expires_at=NOON, actor=None)
    with clock.set_to(NOON - timedelta(hours=1)):
        make_notice(pro)
        assert subjects(ada) == ["Maintenance tonight"]
        before = queries.stamp_of(ada.pk)
    with clock.set_to(NOON):
        products.end_those_due()
        assert (subjects(ada), queries.stamp_of(ada.pk) == before) == ([], False)


def test_a_fixed_audience_stays_whoever_comes_and_goes(ada: Contact, bob: Contact) -> None:
    pro = make_product("Pro", ada)
    notice = make_notice(pro, fixed=True)
    products.add(pro, Contact.objects.filter(pk=bob.pk), actor=None)
    products.remove(pro, Contact.objects.filter(pk=ada.pk), actor=None)
    assert (subjects(ada), subjects(bob)) == (["Maintenance tonight"], [])
    assert list(NoticeRecipient.objects.values_list("notice", "contact")) == [(notice.pk, ada.pk)]


def test_fixing_a_live_notice_keeps_those_of_that_moment(ada: Contact, bob: Contact) -> None:
    readers = make_list("Readers", ada)
    notice = make_notice(readers)
    assert actions.fix_audience(notice, actor=None) == 1
    lists.add(readers, Contact.objects.filter(pk=bob.pk), actor=None)
    assert (subjects(ada), subjects(bob)) == (["Maintenance tonight"], [])


@pytest.mark.parametrize("fixed", [False, True])
def test_exclusions_win_also_under_another_kind_of_the_same_address(fixed: bool, ada: Contact, bob: Contact) -> None:
    everybody = make_list("Everybody", ada, bob)
    ada_as_user = make_contact("ada@example.net", Kind.USER)
    make_notice(everybody, exclude=(make_product("Staff", ada_as_user),), fixed=fixed)
    assert (subjects(ada), subjects(ada_as_user), subjects(bob)) == ([], [], ["Maintenance tonight"])


@pytest.mark.parametrize("fixed", [False, True])
def test_only_confirmed_subscribers_of_a_list_are_meant(fixed: bool) -> None:
    people = {status: make_contact(f"{status}@example.net") for status in Subscription.Status.values}
    readers = make_list("Readers")
    for status, person in people.items():
        Subscription.objects.create(list=readers, contact=person, status=status)
    make_notice(readers, fixed=fixed)
    assert [status for status, person in people.items() if subjects(person)] == ["confirmed"]


def test_a_suppressed_address_still_sees_notices(ada: Contact) -> None:
    suppress("ada@example.net")
    make_notice(ada)
    assert subjects(ada) == ["Maintenance tonight"]


def test_it_stands_from_its_beginning_to_its_end(ada: Contact) -> None:
    make_notice(ada, starts_at=NOON, ends_at=NOON + timedelta(hours=2))
    seen = {}
    for minutes in (-1, 0, 119, 120):
        with clock.set_to(NOON + timedelta(minutes=minutes)):
            seen[minutes] = subjects(ada)
    assert seen == {-1: [], 0: ["Maintenance tonight"], 119: ["Maintenance tonight"], 120: []}


def test_what_is_withdrawn_or_ended_disappears_at_once(ada: Contact) -> None:
    first, second = make_notice(ada, subject="First"), make_notice(ada, subject="Second")
    actions.see([first.key, second.key], ada.pk)
    actions.withdraw(first, actor=None)
    actions.end_now(second, actor=None)
    assert subjects(ada) == []
    assert [one.subject for one in queries.past(ada.pk, now=clock.now())] == ["Second"]
    with pytest.raises(actions.NoticeOver):
        actions.withdraw(first, actor=None)
    with pytest.raises(actions.NoticeOver):
        actions.end_now(second, actor=None)


def test_the_most_urgent_come_first_then_the_newest_up_to_the_limit(ada: Contact) -> None:
    for hour, level in enumerate(["info", "success", "warning", "error", "info", "error"]):
        make_notice(ada, subject=f"{level} {hour}", level=level, starts_at=NOON + timedelta(hours=hour))
    with clock.set_to(NOON + timedelta(hours=6)):
        everything = ["error 5", "error 3", "warning 2", "success 1", "info 4", "info 0"]
        assert subjects(ada) == everything[:5]
        assert subjects(ada, limit=0) == everything
        assert subjects(ada, limit=2) == everything[:2]


def test_no_more_new_ones_a_day_than_the_operator_allows(ada: Contact) -> None:
    instance.change({"new_notices_per_day": 1}, actor=None)
    for hour in range(3):
        make_notice(ada, subject=f"News {hour}", starts_at=NOON + timedelta(hours=hour))
    make_notice(ada, subject="Outage", level="error", starts_at=NOON)
    with clock.set_to(NOON + timedelta(hours=4)):
        assert subjects(ada) == ["Outage", "News 2"]
        shown = queries.shown_to(ada.pk, now=clock.now())
        actions.see([one.key for one in shown if one.subject != "Outage"], ada.pk)
        assert subjects(ada) == ["Outage", "News 2"]
    with clock.set_to(NOON + timedelta(hours=29)):
        assert subjects(ada) == ["Outage", "News 2", "News 1"]


def test_it_takes_one_statement_however_many_notices_there_are(
    ada: Contact, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamps, "FRESH_FOR", 3600.0)
    pro = make_product("Pro", ada)
    for number in range(12):
        make_notice(pro, subject=f"News {number}")
    queries.shown_to(ada.pk, now=clock.now())
    with django_assert_num_queries(1):
        assert len(queries.shown_to(ada.pk, now=clock.now(), limit=0)) == 12
    actions.dismiss(queries.shown_to(ada.pk, now=clock.now())[0].key, ada.pk)
    with django_assert_num_queries(2):
        queries.past(ada.pk, now=clock.now())


def test_nobody_is_shown_nothing(ada: Contact) -> None:
    make_notice(ada)
    assert queries.shown_to(ada.pk + 1000, now=clock.now()) == []
    assert actions.see([queries.shown_to(ada.pk, now=clock.now())[0].key], ada.pk + 1000) == 0
    assert not Reading.objects.exists()


def test_reach_counts_people_not_contacts(ada: Contact, bob: Contact) -> None:
    twin = make_contact("ada@example.net", Kind.USER)
    notice = make_notice(make_list("Everybody", ada, bob, twin), exclude=(bob,))
    assert queries.reach(notice.audience) == 1


def test_new_words_and_new_limits_hold_at_once_though_both_are_remembered(ada: Contact) -> None:
    first, second = make_notice(ada, subject="First"), make_notice(ada, subject="Second")
    assert subjects(ada) == ["Second", "First"]
    actions.change(first, subject="First, mended", actor=None)
    assert subjects(ada) == ["Second", "First, mended"]
    instance.change({"notices_per_dashboard": 1}, actor=None)
    assert subjects(ada) == ["Second"]
    actions.withdraw(second, actor=None)
    assert subjects(ada) == ["First, mended"]
