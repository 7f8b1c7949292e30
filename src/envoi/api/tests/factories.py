"""Programs that call the API, for tests."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from envoi.accounts.actions import api_keys
from envoi.accounts.models import User
from envoi.accounts.permissions import SCOPES
from envoi.accounts.tests.factories import a_user


class Program:
    """Calls the API with a key; `key` may be replaced."""

    def __init__(self, *scopes: str, owner: User | None = None) -> None:
        self.owner = owner or User.objects.filter(email="ada@example.org").first() or a_user()
        self.row, self.key = api_keys.issue("Maintenance", list(scopes or SCOPES), actor=self.owner)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: object = None, **headers: str) -> Any:
        return self.call("POST", path, body, **headers)

    def patch(self, path: str, body: object, **headers: str) -> Any:
        return self.call("PATCH", path, body, **headers)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> HttpResponse:
        """`body` as JSON; bytes as they are."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        client = Client(raise_request_exception=False)
        sent = {
            "Authorization": f"Bearer {self.key}",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        return client.generic(method, f"/api/v1{path}", data, "application/json", headers=sent)  # type: ignore[return-value]


def wanted(**fields: object) -> dict[str, Any]:
    """A notice for the product Pro, as a program sends it."""
    return {
        "targets": {"products": ["Pro"]},
        "subject": "Maintenance tonight",
        "body": "<p>From ten o'clock on.</p>",
        **fields,
    }
