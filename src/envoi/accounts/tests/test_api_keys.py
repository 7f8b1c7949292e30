"""Keys for programs: told once, never more than their owner, gone when revoked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from envoi.accounts import queries
from envoi.accounts.actions import api_keys, audit
from envoi.accounts.models import ApiKey, AuditEntry, Role
from envoi.accounts.permissions import Permission, key_may
from envoi.accounts.tests.factories import a_user
from envoi.core import clock

pytestmark = pytest.mark.django_db

READ = [Permission.VIEW]


def test_the_key_is_told_once_and_stored_nowhere() -> None:
    ada = a_user()
    key, token = api_keys.issue("  Nightly   maintenance ", READ, actor=ada)
    assert token.startswith("envoi_")
    assert len(token) == len("envoi_") + 43
    assert token.startswith(key.prefix)
    assert token not in str(ApiKey.objects.values()) + str(AuditEntry.objects.values())
    assert queries.api_key_of(token) == key
    assert queries.api_key_of(token[:-1]) is None
    assert (key.name, key.scopes, key.owner) == ("Nightly maintenance", ["view"], ada)
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.actor, entry.details) == (
        "api_key_issue",
        ada,
        {"prefix": key.prefix, "scopes": ["view"]},
    )


def test_two_keys_are_never_the_same() -> None:
    ada = a_user()
    assert api_keys.issue("A", READ, actor=ada)[1] != api_keys.issue("A", READ, actor=ada)[1]


@pytest.mark.parametrize(
    ("name", "scopes", "field"),
    [
        (" ", ["view"], "name"),
        ("x" * 101, ["view"], "name"),
        ("A", [], "scopes"),
        ("A", ["manage_users"], "scopes"),
        ("A", ["view", "fly"], "scopes"),
    ],
)
def test_a_key_that_cannot_be_is_refused(name: str, scopes: list[str], field: str) -> None:
    with pytest.raises(api_keys.KeyRefused) as refused:
        api_keys.issue(name, scopes, actor=a_user())
    assert refused.value.field == field
    assert not ApiKey.objects.exists()
    assert not AuditEntry.objects.exists()


def test_nobody_gives_more_than_they_may() -> None:
    with pytest.raises(api_keys.KeyRefused):
        api_keys.issue("A", [Permission.SEND_BROADCASTS], actor=a_user(role=Role.VIEWER))


def test_a_key_ends_at_its_moment_and_not_in_the_past() -> None:
    ada, now = a_user(), clock.now()
    with pytest.raises(api_keys.KeyRefused):
        api_keys.issue("A", READ, expires_at=now - timedelta(seconds=1), actor=ada)
    key, _token = api_keys.issue("A", READ, expires_at=now + timedelta(hours=1), actor=ada)
    with clock.set_to(now + timedelta(minutes=59)):
        assert key_may(key, Permission.VIEW)
    with clock.set_to(now + timedelta(hours=1)):
        assert not key_may(key, Permission.VIEW)


def test_a_key_may_what_it_names_and_its_owner_still_may() -> None:
    ada = a_user()
    key, _token = api_keys.issue("A", [Permission.SEND_BROADCASTS], actor=ada)
    assert key_may(key, Permission.SEND_BROADCASTS)
    assert not key_may(key, Permission.VIEW)
    ada.role = Role.VIEWER
    assert not key_may(key, Permission.SEND_BROADCASTS)


def test_revoked_it_is_dead_and_the_audit_says_it_once() -> None:
    ada = a_user()
    key, _token = api_keys.issue("A", READ, actor=ada)
    for _ in range(2):
        api_keys.revoke(key, actor=ada)
    key.refresh_from_db()
    assert not key_may(key, Permission.VIEW)
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True)) == ["api_key_issue", "api_key_revoke"]


def test_the_audit_names_the_key_beside_the_person() -> None:
    ada = a_user()
    ada.through = "API key Nightly"
    audit.record(ada, "test")
    audit.record(None, "test")
    assert list(AuditEntry.objects.order_by("pk").values_list("actor_label", flat=True)) == [
        "ada@example.org (API key Nightly)",
        "",
    ]


def test_those_that_live_are_listed_first() -> None:
    ada = a_user()
    keys = [api_keys.issue(name, READ, actor=ada)[0] for name in ("A", "B", "C")]
    api_keys.revoke(keys[2], actor=ada)
    assert [key.name for key in queries.api_keys()] == ["B", "A", "C"]
