from __future__ import annotations

import pytest

from envoi.audiences.models import Subscription
from envoi.contacts.models import Contact, Kind, Suppression
from envoi.core import clock
from envoi.delivery.models import Delivery
from envoi.tracking.actions.register_links import Link, LinksDiffer, register_links
from envoi.tracking.actions.unsubscribe import ONE_CLICK, PAGE, resubscribe, unsubscribe
from envoi.tracking.models import Activity, TrackedLink
from envoi.tracking.tests.factories import Author, make_list, make_sent, subscribe

pytestmark = pytest.mark.django_db

CONFIRMED, UNSUBSCRIBED = Subscription.Status.CONFIRMED, Subscription.Status.UNSUBSCRIBED


def statuses() -> dict[str, str]:
    return dict(Subscription.objects.values_list("list__name", "status"))


def activities() -> list[str]:
    return list(Activity.objects.order_by("at", "pk").values_list("type", flat=True))


def test_leaving_everything_suppresses_the_address_and_ends_the_mailings_lists(author: Author) -> None:
    ada = make_sent()
    author.list_ids = [subscribe(ada, "News").pk, make_list("Jobs").pk]
    subscribe(ada, "Other")
    assert unsubscribe(ada.pk, everything=True, way=ONE_CLICK) is True
    suppression = Suppression.objects.get()
    assert (suppression.address_key, suppression.reason) == ("ada@example.org", "unsubscribed")
    assert suppression.source == f"mailing {ada.mailing.key}"
    assert statuses() == {"News": UNSUBSCRIBED, "Other": CONFIRMED}
    assert activities() == ["unsubscribe"]


def test_leaving_again_changes_nothing(author: Author) -> None:
    ada = make_sent()
    author.list_ids = [subscribe(ada, "News").pk]
    unsubscribe(ada.pk, everything=True, way=ONE_CLICK)
    assert unsubscribe(ada.pk, everything=True, way=ONE_CLICK) is False
    assert (Suppression.objects.count(), activities()) == (1, ["unsubscribe"])


def test_leaving_the_list_leaves_the_address_open_for_the_rest(author: Author) -> None:
    ada = make_sent()
    author.list_ids = [subscribe(ada, "News").pk]
    assert unsubscribe(ada.pk, everything=False, way=PAGE) is True
    assert (Suppression.objects.count(), statuses()) == (0, {"News": UNSUBSCRIBED})


def test_a_mailing_whose_author_is_not_installed_can_still_be_left() -> None:
    ada = make_sent()
    assert unsubscribe(ada.pk, everything=True, way=ONE_CLICK) is True
    assert Suppression.objects.get().address_key == "ada@example.org"


def test_every_contact_that_holds_the_address_leaves(author: Author) -> None:
    ada = make_sent()
    as_lead = Contact.objects.create(kind=Kind.LEAD, address="ADA@example.org", address_key="ada@example.org")
    news = subscribe(ada, "News")
    Subscription.objects.create(list=news, contact=as_lead)
    author.list_ids = [news.pk]
    unsubscribe(ada.pk, everything=False, way=PAGE)
    assert set(Subscription.objects.values_list("status", flat=True)) == {UNSUBSCRIBED}


def test_nobody_else_leaves(author: Author) -> None:
    ada, bob = make_sent("ada@example.org"), make_sent("bob@example.org")
    news = subscribe(ada, "News")
    assert bob.contact is not None
    Subscription.objects.create(list=news, contact=bob.contact)
    author.list_ids = [news.pk]
    unsubscribe(ada.pk, everything=True, way=ONE_CLICK)
    assert Subscription.objects.get(contact=bob.contact).status == CONFIRMED
    assert not Suppression.objects.filter(address_key="bob@example.org").exists()


def test_coming_back_undoes_what_leaving_did_and_no_more(author: Author) -> None:
    ada = make_sent()
    news, jobs = subscribe(ada, "News"), subscribe(ada, "Jobs", status=UNSUBSCRIBED)
    author.list_ids = [news.pk, jobs.pk]
    unsubscribe(ada.pk, everything=False, way=PAGE)
    unsubscribe(ada.pk, everything=True, way=PAGE)
    assert resubscribe(ada.pk) is True
    assert statuses() == {"News": CONFIRMED, "Jobs": UNSUBSCRIBED}
    assert Suppression.objects.count() == 0
    assert resubscribe(ada.pk) is False
    assert activities() == ["unsubscribe", "unsubscribe", "resubscribe"]


def test_one_may_leave_and_come_back_several_times(author: Author) -> None:
    ada = make_sent()
    author.list_ids = [subscribe(ada, "News").pk]
    for _ in range(2):
        assert unsubscribe(ada.pk, everything=True, way=ONE_CLICK)
        assert resubscribe(ada.pk)
    assert statuses() == {"News": CONFIRMED}
    assert activities() == ["unsubscribe", "resubscribe"] * 2


@pytest.mark.parametrize("reason", ["hard_bounce", "complaint", "manual", "erased"])
def test_an_address_suppressed_for_another_reason_stays_so(reason: str) -> None:
    ada = make_sent()
    Suppression.objects.create(address_key="ada@example.org", reason=reason)
    unsubscribe(ada.pk, everything=True, way=ONE_CLICK)
    assert resubscribe(ada.pk) is False
    assert Suppression.objects.get().reason == reason


def test_somebody_on_very_many_lists_leaves_them_all(author: Author) -> None:
    ada = make_sent()
    author.list_ids = [subscribe(ada, f"List {number}").pk for number in range(120)]
    unsubscribe(ada.pk, everything=True, way=ONE_CLICK)
    assert set(statuses().values()) == {UNSUBSCRIBED}
    assert resubscribe(ada.pk) is True
    assert Suppression.objects.count() == 0


def test_an_activity_without_details_is_no_obstacle_to_coming_back() -> None:
    ada = make_sent()
    Activity.objects.create(uid="1", mailing=ada.mailing, delivery=ada, type="unsubscribe", at=clock.now(), detail="?")
    assert resubscribe(ada.pk) is False


def test_a_message_that_is_no_longer_on_record_cannot_be_left() -> None:
    with pytest.raises(Delivery.DoesNotExist):
        unsubscribe(404, everything=True, way=ONE_CLICK)


def test_links_are_registered_once_and_never_altered() -> None:
    mailing = make_sent().mailing
    wanted = [Link(1, "https://example.net/a", "A"), Link(2, "https://example.net/{{ contact.first_name }}", "B" * 300)]
    first = register_links(mailing, wanted, actor=None)
    assert register_links(mailing, wanted, actor=None) == first
    assert sorted(first) == [1, 2]
    assert TrackedLink.objects.count() == 2
    with pytest.raises(LinksDiffer):
        register_links(mailing, [Link(1, "https://example.net/other")], actor=None)
    assert TrackedLink.objects.get(position=1).url == "https://example.net/a"
