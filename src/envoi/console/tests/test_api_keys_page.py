"""The page of API keys: made, shown once, revoked; for owners only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from envoi.accounts.actions import api_keys, users
from envoi.accounts.models import ApiKey, Role
from envoi.accounts.permissions import Permission
from envoi.accounts.queries import api_key_of
from envoi.accounts.tests.factories import a_user
from envoi.core import clock

pytestmark = pytest.mark.django_db

ADDRESS = "/settings/api-keys/"
NIGHTLY = {"name": "Nightly", "scopes": ["send_broadcasts"], "days": "30"}


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(a_user())
    return client


def test_an_owner_makes_a_key_and_sees_it_once(owner: Client) -> None:
    assert "No program is let in yet" in owner.get(ADDRESS).content.decode()
    with clock.set_to(datetime(2026, 3, 1, tzinfo=UTC)):
        answer = owner.post(f"{ADDRESS}new/", NIGHTLY)
        page = owner.get(ADDRESS).content.decode()
    token = answer.content.decode().partition('id="api-key">')[2].partition("<")[0]
    key = api_key_of(token)
    assert key is not None
    assert (key.name, key.scopes, key.expires_at) == (
        "Nightly",
        ["send_broadcasts"],
        datetime(2026, 3, 31, tzinfo=UTC),
    )
    assert "no-store" in answer["Cache-Control"]
    assert token not in page
    assert "Publish, change, end and withdraw notices" in page
    assert "Never" in page


@pytest.mark.parametrize(
    "fields", [{"name": " "}, {"scopes": []}, {"scopes": ["manage_users"]}, {"days": "9999999"}], ids=str
)
def test_a_key_that_cannot_be_is_refused_on_its_page(fields: dict[str, object], owner: Client) -> None:
    answer = owner.post(f"{ADDRESS}new/", {**NIGHTLY, **fields})
    assert answer.status_code == 422
    assert not ApiKey.objects.exists()


def test_revoked_it_stays_on_the_list_as_such(owner: Client) -> None:
    owner.post(f"{ADDRESS}new/", NIGHTLY)
    key = ApiKey.objects.get()
    page = owner.post(f"{ADDRESS}{key.pk}/revocation/", follow=True).content.decode()
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert "The key “Nightly” lets nobody in any more." in page
    assert "Revoked" in page
    assert owner.get(f"{ADDRESS}{key.pk}/revocation/").status_code == 405


def test_each_state_is_said(owner: Client) -> None:
    bob = a_user("bob@example.org")
    api_keys.issue("Of Bob", [Permission.VIEW], actor=bob)
    api_keys.issue("Old", [Permission.VIEW], expires_at=clock.now() + timedelta(days=1), actor=bob)
    with clock.set_to(clock.now() + timedelta(days=2)):
        assert "Expired" in owner.get(ADDRESS).content.decode()
        users.deactivate(bob, actor=None)
        assert "Its owner may not sign in" in owner.get(ADDRESS).content.decode()


def test_editors_and_viewers_do_not_see_keys(client: Client) -> None:
    for number, role in enumerate((Role.EDITOR, Role.VIEWER)):
        client.force_login(a_user(f"somebody{number}@example.org", role=role))
        assert client.get(ADDRESS).status_code == 403
        assert client.post(f"{ADDRESS}new/", NIGHTLY).status_code == 403
    assert not ApiKey.objects.exists()


def test_many_keys_take_no_more_statements(owner: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    bob = a_user("bob@example.org")
    for number in range(20):
        api_keys.issue(f"Key {number}", [Permission.VIEW], actor=bob)
    owner.get(ADDRESS)
    with django_assert_num_queries(4):
        owner.get(ADDRESS)
