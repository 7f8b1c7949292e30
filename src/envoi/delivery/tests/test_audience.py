"""Who gets the message, and why the others do not."""

from __future__ import annotations

import pytest
from django.db import connection as db
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from envoi.audiences.models import Membership, Subscription
from envoi.contacts.models import Kind, Suppression
from envoi.delivery.models import Delivery, Purpose
from envoi.delivery.queries import AudienceCount, freeze, preview
from envoi.delivery.queries import audience as queries
from envoi.delivery.tests.factories import (
    make_audience,
    make_contact,
    make_list,
    make_mailing,
    make_product,
    suppress,
)

pytestmark = pytest.mark.django_db

Skip = Delivery.SkipReason
UNCONFIRMED, UNSUBSCRIBED = Subscription.Status.UNCONFIRMED, Subscription.Status.UNSUBSCRIBED


def frozen(audience, purpose: str = Purpose.MARKETING) -> dict[str, str]:  # type: ignore[no-untyped-def]
    """Address (with the kind, where it is no contact) → state or reason; checks that the preview says the same."""
    mailing = make_mailing(purpose=purpose)
    rows = freeze(mailing, audience)
    ledger = list(mailing.deliveries.select_related("contact"))
    assert rows == len(ledger)
    found = {}
    for row in ledger:
        assert row.contact is not None
        kind = "" if row.contact.kind == Kind.CONTACT else f" {row.contact.kind}"
        found[row.address + kind] = row.skip_reason or row.state
        assert (row.state == Delivery.State.SKIPPED) == bool(row.skip_reason)
    assert len(found) == rows
    counted = preview(audience, purpose)
    assert counted.total == rows
    assert counted.will_receive == list(found.values()).count("pending")
    assert {str(k): v for k, v in counted.skipped.items()} == {
        reason: list(found.values()).count(reason) for reason in set(found.values()) - {"pending"}
    }
    return found


def test_somebody_reached_in_three_ways_stands_once_in_the_ledger() -> None:
    ada = make_contact("ada@example.org")
    audience = make_audience(make_list("News", ada), make_product("Gold", ada), ada)
    assert frozen(audience) == {"ada@example.org": "pending"}


def test_lists_products_and_contacts_are_united() -> None:
    ada, bob, chloe = (make_contact(f"{name}@example.org") for name in ("ada", "bob", "chloé"))
    make_contact("dmitri@example.org")
    audience = make_audience(make_list("News", ada), make_product("Gold", bob), chloe)
    assert frozen(audience) == dict.fromkeys(["ada@example.org", "bob@example.org", "chloé@example.org"], "pending")


@pytest.mark.parametrize("status", Membership.Status)
def test_only_current_memberships_are_on_the_product(status: Membership.Status) -> None:
    audience = make_audience(make_product("Gold", make_contact("ada@example.org"), status=status))
    expected = {"ada@example.org": "pending"} if status in {"trialing", "active", "on_hold"} else {}
    assert frozen(audience) == expected


def test_exclusion_goes_by_contact_and_by_address() -> None:
    ada, bob = make_contact("ada@example.org"), make_contact("bob@example.org")
    bob_as_lead = make_contact("Bob@example.org", kind=Kind.LEAD)
    chloe = make_contact("chloe@example.org")
    audience = make_audience(
        make_list("News", ada, bob, chloe),
        exclude=(ada, make_list("Staff", bob_as_lead, status=UNSUBSCRIBED)),
    )
    assert frozen(audience) == {
        "ada@example.org": "excluded",
        "bob@example.org": "excluded",
        "chloe@example.org": "pending",
    }


def test_somebody_on_an_excluded_product_is_left_out_while_the_membership_is_current() -> None:
    ada, bob = make_contact("ada@example.org"), make_contact("bob@example.org")
    gold = make_product("Gold", ada)
    Membership.objects.create(contact=bob, product=gold, status=Membership.Status.EXPIRED)
    audience = make_audience(ada, bob, exclude=(gold,))
    assert frozen(audience) == {"ada@example.org": "excluded", "bob@example.org": "pending"}


@pytest.mark.parametrize(
    ("reason", "marketing", "transactional"),
    [
        (Suppression.Reason.UNSUBSCRIBED, "unsubscribed", "pending"),
        (Suppression.Reason.HARD_BOUNCE, "suppressed", "suppressed"),
        (Suppression.Reason.COMPLAINT, "suppressed", "suppressed"),
        (Suppression.Reason.MANUAL, "suppressed", "suppressed"),
        (Suppression.Reason.ERASED, "suppressed", "suppressed"),
    ],
)
def test_what_a_suppression_hinders(reason: Suppression.Reason, marketing: str, transactional: str) -> None:
    audience = make_audience(make_contact("Ada@example.org"))
    suppress("ada@example.org", reason)
    assert frozen(audience, Purpose.MARKETING) == {"Ada@example.org": marketing}
    assert frozen(audience, Purpose.INFORMATIONAL) == {"Ada@example.org": marketing}
    assert frozen(audience, Purpose.TRANSACTIONAL) == {"Ada@example.org": transactional}


def test_an_unconfirmed_subscription_is_no_consent_and_an_ended_one_is_an_unsubscription() -> None:
    ada, bob, chloe = (make_contact(f"{name}@example.org") for name in ("ada", "bob", "chloe"))
    audience = make_audience(
        make_list("Asked", ada, chloe, status=UNCONFIRMED), make_list("Left", bob, chloe, status=UNSUBSCRIBED)
    )
    assert frozen(audience) == {
        "ada@example.org": "no_consent",
        "bob@example.org": "unsubscribed",
        "chloe@example.org": "no_consent",
    }
    assert set(frozen(audience, Purpose.TRANSACTIONAL).values()) == {"pending"}


def test_somebody_who_left_one_list_and_is_on_another_gets_the_message() -> None:
    ada = make_contact("ada@example.org")
    audience = make_audience(make_list("Left", ada, status=UNSUBSCRIBED), make_list("News", ada))
    assert frozen(audience) == {"ada@example.org": "pending"}


def test_of_several_contacts_with_one_address_the_person_comes_before_the_organisation() -> None:
    holders = [make_contact("info@example.org", kind=kind) for kind in (Kind.ACCOUNT, Kind.USER, Kind.LEAD)]
    audience = make_audience(*holders)
    assert frozen(audience) == {
        "info@example.org lead": "pending",
        "info@example.org user": "duplicate_address",
        "info@example.org account": "duplicate_address",
    }


def test_a_contact_without_consent_does_not_stand_in_the_way_of_another_with_the_same_address() -> None:
    contact, lead = make_contact("ada@example.org"), make_contact("ada@example.org", kind=Kind.LEAD)
    audience = make_audience(make_list("Asked", contact, status=UNCONFIRMED), lead)
    assert frozen(audience) == {"ada@example.org": "no_consent", "ada@example.org lead": "pending"}


@pytest.mark.parametrize("address", ["", "@example.org", "ada@", "ada", "a b@example.org", "ada@bob@example.org"])
def test_what_cannot_be_an_address_is_skipped_even_when_it_is_excluded_too(address: str) -> None:
    broken = make_contact(address)
    assert frozen(make_audience(broken, exclude=(broken,))) == {address: "invalid_address"}


def test_the_first_of_several_reasons_is_recorded() -> None:
    ada, bob = make_contact("ada@example.org"), make_contact("bob@example.org")
    suppress("ada@example.org")
    suppress("bob@example.org")
    audience = make_audience(make_list("Left", ada, bob, status=UNSUBSCRIBED), exclude=(ada,))
    assert frozen(audience) == {"ada@example.org": "excluded", "bob@example.org": "suppressed"}


def test_every_row_of_every_mailing_has_its_own_random_key_before_the_first_attempt() -> None:
    audience = make_audience(make_list("News", *(make_contact(f"p{n}@example.org") for n in range(25))))
    keys = set()
    for mailing in (make_mailing(), make_mailing()):
        freeze(mailing, audience)
        keys |= set(mailing.deliveries.values_list("key", flat=True))
    assert len(keys) == 50
    assert {len(key) for key in keys} == {16}
    assert all(set(key) <= set("0123456789abcdef") for key in keys)


def test_an_empty_audience_is_counted_as_nobody() -> None:
    assert preview(make_audience(), Purpose.MARKETING) == AudienceCount(total=0, will_receive=0, skipped={})
    assert frozen(make_audience()) == {}


def test_the_statements_of_a_freeze_do_not_grow_with_the_audience(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    mailing = make_mailing()
    audience = make_audience(make_list("News", *(make_contact(f"p{n}@example.org") for n in range(20))))
    with django_assert_num_queries(6 if db.vendor == "postgresql" else 4):
        assert freeze(mailing, audience) == 20


@pytest.mark.skipif(db.vendor != "postgresql", reason="SQLite's planner needs no advice")
def test_who_writes_to_a_good_part_of_all_contacts_does_not_look_each_of_them_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queries, "_PLENTY", queries._PLENTY.replace("GREATEST(1000,", "GREATEST(19,"))
    monkeypatch.setattr(queries, "MANY", 20)
    few, many = (make_list(f"{n}", *(make_contact(f"p{m}@{n}.example") for m in range(n))) for n in (19, 20))
    with db.cursor() as cursor:
        # What autovacuum counted among other tests' contacts would stay: it rolls back with nobody's transaction.
        cursor.execute("ANALYZE contacts_contact")
    asked = []
    for news in (few, many):
        mailing = make_mailing()
        with CaptureQueriesContext(db) as captured:
            assert freeze(mailing, make_audience(news)) == mailing.deliveries.count()
        asked.append([one["sql"] for one in captured if one["sql"].startswith(("SET LOCAL enable", "ANALYZE"))])
    assert asked[0] == []
    assert asked[1][:2] == ["SET LOCAL enable_nestloop = off", "SET LOCAL enable_nestloop TO DEFAULT"]
    assert [one.partition(" ")[0] for one in asked[1][2:]] == ["ANALYZE"]
    with db.cursor() as cursor:
        cursor.execute("SHOW enable_nestloop")
        assert cursor.fetchone() == ("on",)
        cursor.execute("SHOW default_statistics_target")
        assert cursor.fetchone() == ("100",)
