"""Who is let in: keys, their scopes, their owners; and the frame around every answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from envoi.accounts.actions import api_keys, users
from envoi.accounts.models import ApiKey, Role
from envoi.accounts.permissions import SCOPES, Permission
from envoi.accounts.tests.factories import a_user
from envoi.api import pace
from envoi.api.authentication import ApiKeyInHeader
from envoi.api.tests.factories import Program, wanted
from envoi.api.urls import api
from envoi.core import clock
from envoi.notices.models import Notice

pytestmark = pytest.mark.django_db

KEY = "0123456789abcdef"
OPERATIONS = [
    (method, path, operation.auth_param)
    for bound in api._get_bound_routers()
    for path, view in bound.path_operations.items()
    for operation in view.operations
    for method in operation.methods
]
BODIES: dict[str, Any] = {"publish": wanted(), "change": {"subject": "New"}}


@pytest.fixture(autouse=True)
def fresh_pace() -> Iterator[None]:
    pace._taken.clear()
    yield
    pace._taken.clear()


def test_every_operation_asks_for_a_scope_that_keys_can_have() -> None:
    assert len(OPERATIONS) == 7
    for _method, _path, auth in OPERATIONS:
        assert isinstance(auth, ApiKeyInHeader)
        assert auth.permission in SCOPES


@pytest.mark.parametrize(("method", "path", "auth"), OPERATIONS, ids=lambda part: part if isinstance(part, str) else "")
@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_does_what_its_scope_says_and_nothing_else(
    scope: Permission, method: str, path: str, auth: ApiKeyInHeader
) -> None:
    answer = Program(scope).call(method, path.format(key=KEY), {"subject": "New"} if method == "PATCH" else wanted())
    if scope == auth.permission:
        assert answer.status_code in {200, 404, 422}
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")  # type: ignore[attr-defined]
    assert not Notice.objects.exists()


@pytest.mark.parametrize("words", ["", "Bearer", "Bearer ", "Bearer envoi_wrong", "Basic YTpi", "Bearer \xe9\x01"])
def test_without_a_good_key_nobody_learns_anything(words: str) -> None:
    answer = Client().get("/api/v1/notices", headers={"Authorization": words} if words else {})
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert answer["WWW-Authenticate"] == 'Bearer realm="Envoi"'
    assert answer.json()["code"] == "unauthenticated"


def test_a_revoked_key_and_an_expired_one_are_answered_as_a_wrong_one() -> None:
    program = Program()
    wrong = Client().get("/api/v1/notices", headers={"Authorization": "Bearer envoi_wrong"}).content
    assert program.get("/notices").status_code == 200
    ApiKey.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert program.get("/notices").content == wrong
    ApiKey.objects.update(expires_at=None)
    api_keys.revoke(program.row, actor=None)
    assert program.get("/notices").content == wrong


def test_a_key_falls_with_its_owner() -> None:
    a_user("root@example.org")
    program = Program()
    users.change_role(program.owner, Role.VIEWER, actor=None)
    assert (program.get("/notices").status_code, program.post("/notices", wanted()).status_code) == (200, 403)
    users.deactivate(program.owner, actor=None)
    assert program.get("/notices").status_code == 401


def test_somebody_signed_in_does_nothing_by_cookies(client: Client) -> None:
    client.force_login(a_user())
    assert client.get("/api/v1/notices").status_code == 401
    assert client.post("/api/v1/notices", wanted(), "application/json").status_code == 401


def test_use_is_noted_once_a_minute() -> None:
    program, now = Program(), clock.now()
    noted = []
    for seconds in (0, 59, 61):
        with clock.set_to(now + timedelta(seconds=seconds)):
            program.get("/notices")
            noted.append(ApiKey.objects.get().last_used_at)
    assert noted == [now, now, now + timedelta(seconds=61)]


def test_beyond_its_pace_a_key_is_told_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "PER_MINUTE", 2)
    program, other, quarter_past = Program(), Program(), datetime(2026, 3, 1, 12, 0, 15, tzinfo=UTC)
    with clock.set_to(quarter_past):
        assert [program.get("/notices").status_code for _ in range(3)] == [200, 200, 429]
        assert program.get("/notices")["Retry-After"] == "45"
        assert other.get("/notices").status_code == 200
    with clock.set_to(quarter_past + timedelta(seconds=45)):
        assert program.get("/notices").status_code == 200


def test_every_answer_stays_out_of_caches() -> None:
    program = Program()
    for path in ("/notices", "/nothing"):
        assert program.get(path)["Cache-Control"] == "no-store"
