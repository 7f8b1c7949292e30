"""Lists and products in the console."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from envoi.accounts.models import Role, User
from envoi.audiences.actions import lists
from envoi.audiences.models import List, Membership, Product, Subscription
from envoi.audiences.tests.factories import make_list, make_product
from envoi.contacts.tests.factories import contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(User.objects.create_user("eva@example.org", role=Role.EDITOR))
    return client


def test_a_list_is_made_filled_by_typing_and_put_away(editor: Client) -> None:
    ada = contact()
    editor.post(reverse("audiences:list-new"), {"name": "Friends", "description": ""})
    friends = List.objects.get()
    editor.post(reverse("audiences:list-members", args=[friends.pk]), {"people": [f"contact-{ada.pk}"]})
    assert "ada@example.org" in editor.get(reverse("audiences:list", args=[friends.pk])).content.decode()
    editor.post(reverse("audiences:list-archive", args=[friends.pk]))
    assert "Friends" not in [row.name for row, _ in editor.get(reverse("audiences:lists")).context["rows"]]
    archived = editor.get(reverse("audiences:lists") + "?archived=yes").context["rows"]
    assert [row.name for row, _ in archived] == ["Friends"]
    editor.post(reverse("audiences:list-restoration", args=[friends.pk]))
    friends.refresh_from_db()
    assert friends.archived_at is None


def test_undo_puts_back_only_those_who_had_agreed(editor: Client) -> None:
    ada, bob = contact("ada@example.org"), contact("bob@example.org")
    friends = make_list("Friends", ada, bob)
    lists.set_status(friends.subscriptions.get(contact=bob), Subscription.Status.UNCONFIRMED, actor=None)
    page = editor.post(
        reverse("audiences:list-removal", args=[friends.pk]), {"contact": [ada.pk, bob.pk]}, follow=True
    ).content.decode()
    assert "2 contacts were taken off" in page
    assert f'<input type="hidden" name="contact" value="{ada.pk}">' in page
    assert f'<input type="hidden" name="contact" value="{bob.pk}">' not in page
    editor.post(reverse("audiences:list-members", args=[friends.pk]), {"contact": [ada.pk]})
    assert list(friends.subscriptions.values_list("contact", "status")) == [(ada.pk, "confirmed")]


def test_a_product_gets_customers_whose_membership_changes(editor: Client) -> None:
    ada = contact()
    editor.post(reverse("audiences:product-new"), {"name": "Basic", "type": "plan", "description": ""})
    basic = Product.objects.get()
    editor.post(
        reverse("audiences:product-memberships", args=[basic.pk]),
        {"people": [f"contact-{ada.pk}"], "status": "trialing"},
    )
    membership = Membership.objects.get()
    assert (membership.contact_id, membership.status) == (ada.pk, "trialing")
    editor.post(
        reverse("audiences:membership", args=[membership.pk]), {"status": "expired", "expires_at": "2026-01-31T12:00"}
    )
    membership.refresh_from_db()
    assert (membership.status, str(membership.expires_at)) == ("expired", "2026-01-31 12:00:00+00:00")
    assert editor.get(reverse("audiences:product", args=[basic.pk])).context["counts"]["ended"] == 1
    editor.post(reverse("audiences:product-removal", args=[basic.pk]), {"contact": [ada.pk]})
    assert not Membership.objects.exists()


def test_typing_answers_with_what_may_be_meant(editor: Client) -> None:
    ada = contact(first_name="Ada")
    answer = editor.get(reverse("audiences:targets") + "?q=ada&kind=contact&kind=robot")
    assert answer.json() == {
        "results": [{"id": f"contact-{ada.pk}", "text": "Ada", "detail": "ada@example.org · Contact"}]
    }


def test_a_viewer_changes_no_list_and_no_product(client: Client) -> None:
    client.force_login(User.objects.create_user("vik@example.org", role=Role.VIEWER))
    ada = contact()
    friends, basic = make_list("Friends", ada), make_product("Basic", ada)
    for name, key in (
        ("list-removal", friends.pk),
        ("list-members", friends.pk),
        ("list-archive", friends.pk),
        ("product-removal", basic.pk),
        ("product-archive", basic.pk),
        ("product-memberships", basic.pk),
    ):
        assert client.post(reverse(f"audiences:{name}", args=[key]), {"contact": ada.pk}).status_code == 403
    for name, key in (("list", friends.pk), ("product", basic.pk)):
        assert client.get(reverse(f"audiences:{name}", args=[key])).status_code == 200
    assert Subscription.objects.count() == Membership.objects.count() == 1


@pytest.mark.parametrize("size", [1, 60])
def test_pages_cost_the_same_however_many_there_are(
    editor: Client, size: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    people = [contact(f"p{number}@example.org") for number in range(size)]
    friends, basic = make_list("Friends", *people), make_product("Basic", *people)
    for number in range(size):
        make_list(f"List {number}", people[number])
        make_product(f"Product {number}", people[number])
    for address in (
        reverse("audiences:lists"),
        reverse("audiences:list", args=[friends.pk]),
        reverse("audiences:products"),
        reverse("audiences:product", args=[basic.pk]),
        reverse("audiences:targets"),
    ):
        with django_assert_max_num_queries(8):
            assert editor.get(address).status_code == 200
