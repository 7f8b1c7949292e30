"""An owner reads the audit log in words, not in the names that the code gives to what people do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

import envoi
from envoi.accounts.actions import audit
from envoi.accounts.models import Role, User
from envoi.accounts.tests.factories import a_user
from envoi.console.settings.audit_words import WORDS

SOURCE = Path(envoi.__file__).parent


@pytest.mark.django_db
def test_the_audit_log_says_in_words_what_somebody_did(client: Client) -> None:
    ada = a_user(name="Ada", role=Role.OWNER)
    client.force_login(ada)
    audit.record(ada, "broadcast_send")
    audit.record(ada, "pause")
    page = client.get("/settings/audit/").text
    assert "<td>Sent the broadcast</td>" in page
    assert "<td>Paused</td>" in page
    assert "broadcast_send" not in page


@pytest.mark.django_db
def test_what_has_no_word_yet_is_shown_as_it_was_recorded(client: Client) -> None:
    chloe: User = a_user(name="Chloé", role=Role.OWNER)
    client.force_login(chloe)
    audit.record(chloe, "juggle")
    assert "<td>juggle</td>" in client.get("/settings/audit/").text


def test_everything_that_is_recorded_has_a_word() -> None:
    recorded = {verb for path in SOURCE.rglob("*.py") if "tests" not in path.parts for verb in _verbs(path)}
    assert {"add_user", "list_restore", "turn_off"} <= recorded
    assert recorded - WORDS.keys() == set()


def _verbs(path: Path) -> Iterator[str]:
    """The verbs that a file writes out in its calls of `audit.record`."""
    text = path.read_text()
    if "audit.record(" not in text:
        return
    for call in ast.walk(ast.parse(text)):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "audit.record":
            verb = call.args[1]
            for one in (verb.body, verb.orelse) if isinstance(verb, ast.IfExp) else (verb,):
                if isinstance(one, ast.Constant):
                    yield str(one.value)
