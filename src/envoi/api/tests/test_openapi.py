"""The description that programs are generated from, and its page: the snapshot shows reviewers every change of it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_description_is_for_everybody_and_says_what_stands_in_the_reference(client: Client) -> None:
    found = client.get("/api/v1/openapi.json")
    assert (found.status_code, found["Content-Type"].partition(";")[0]) == (200, "application/json")
    snapshot = Path(__file__).with_name("openapi.json")
    written = json.dumps(found.json(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if os.environ.get("ENVOI_WRITE_SNAPSHOTS"):
        snapshot.write_text(written)
    assert written == snapshot.read_text(), "If this change is meant: ENVOI_WRITE_SNAPSHOTS=1 and run again."


def test_its_page_asks_nobody_else_for_anything(client: Client) -> None:
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    assert "//" not in page.content.decode().replace("</", "")
    for address in ("swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-init.js"):
        assert f"/static/ninja/{address}" in page.content.decode()
