"""Whatever programs send, they are told in one shape what is wrong, and never a fault of ours."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from envoi.api import notices
from envoi.api.tests.factories import Program, wanted
from envoi.audiences.tests.factories import make_product
from envoi.contacts.tests.factories import contact
from envoi.notices.models import Notice

pytestmark = pytest.mark.django_db

NOT_JSON = [b"{", b"nothing", b"\xff\xfe{}", b"[" * 100_000, b'{"subject": NaN}', b'{"subject": "\\ud800"}', b"{}{}"]
NO_OBJECT = [b"", b"null", b"[]", b'"notice"', b"1", b"true"]
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"colour": "red"}, "colour", "There is no such field."),
    ({"targets": {"products": ["Pro"], "plans": []}}, "targets.plans", "There is no such field."),
    ({"targets": ["Pro"]}, "targets", "This must be an object."),
    ({"targets": {"products": "Pro"}}, "targets.products", "This must be a list."),
    ({"targets": {"products": [None]}}, "targets.products.0", "Write a name or a number."),
    ({"targets": {"products": [True]}}, "targets.products.0", "Write a name or a number."),
    ({"targets": {"products": [1.5]}}, "targets.products.0", "Write a name or a number."),
    ({"targets": {"products": [-1]}}, "targets.products.0", "Write a name or a number."),
    ({"targets": {"products": [10**30]}}, "targets.products.0", "Write a name or a number."),
    ({"targets": {"products": ["a\x00"]}}, "targets.products.0", "Write a name or a number."),
    ({"targets": {"products": ["x"] * 1001}}, "targets.products", "At most 1000 are taken at once."),
    ({"targets": {"contacts": ["id:" + "9" * 40]}}, "targets.contacts.0", None),  # type: ignore[list-item]
    ({"targets": {"contacts": ["ref:"]}}, "targets.contacts.0", "There is no contact “ref:”."),
    ({"subject": 5}, "subject", "This must be text."),
    ({"subject": None}, "subject", "This must be text."),
    ({"subject": "x" * 301}, "subject", "Shorten this to 300 characters."),
    ({"subject": "a\x00b"}, "subject", "Leave out the character U+0000."),
    ({"body": "x" * 50_001}, "body", "Shorten this to 50000 characters."),
    ({"level": "pink"}, "level", "Choose one of 'info', 'success', 'warning' or 'error'."),
    ({"dismissible": "yes"}, "dismissible", "This must be true or false."),
    ({"fixed": 1}, "fixed", "This must be true or false."),
    ({"button": {"label": "Go"}}, "button.url", "This is missing."),
    ({"starts_at": 1}, "starts_at", "Write the time with its zone, such as 2026-12-24T18:00:00+01:00."),
    ({"starts_at": "2026-12-24T18:00:00"}, "starts_at", None),  # type: ignore[list-item]
    ({"ends_at": "9999-12-31T23:59:59-12:00"}, "ends_at", "Write a year from 2000 to 2200."),
    ({"ends_at": "0001-01-01T00:00:00+12:00"}, "ends_at", "Write a year from 2000 to 2200."),
]


@pytest.fixture
def program() -> Program:
    make_product("Pro", contact())
    return Program()


@pytest.mark.parametrize("body", NOT_JSON, ids=lambda body: repr(body[:20]))
def test_what_is_no_json_is_told_so(body: bytes, program: Program) -> None:
    answer = program.post("/notices", body)
    assert answer.json() == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "code": "not_json",
        "detail": "The body must be one JSON object in UTF-8.",
    }


@pytest.mark.parametrize("body", NO_OBJECT)
def test_what_is_no_object_is_told_so(body: bytes, program: Program) -> None:
    answer = program.post("/notices", body)
    assert (answer.status_code, answer["Content-Type"], answer.json()["code"]) == (
        422,
        "application/problem+json",
        "invalid",
    )


@pytest.mark.parametrize(("fields", "field", "message"), WRONG, ids=lambda value: str(value)[:50])
def test_each_wrong_field_is_named(fields: dict[str, Any], field: str, message: str | None, program: Program) -> None:
    answer = program.post("/notices", wanted(**fields))
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"]) == (422, field)
    assert message in {None, error["message"]}
    assert not Notice.objects.exists()


def test_a_change_takes_no_null_where_there_must_be_something(program: Program) -> None:
    answer = program.patch("/notices/0123456789abcdef", {"subject": None, "level": None, "ends_at": None})
    assert [one["field"] for one in answer.json()["errors"]] == ["subject", "level"]


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("state=z", "state"), ("page=2", "page")],
)
def test_words_in_the_address_are_read_as_strictly(query: str, field: str, program: Program) -> None:
    answer = program.get(f"/notices?{query}")
    assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, [field])


@pytest.mark.parametrize("cursor", ["%00", "AAAA", "x" * 500, "WyJuIiwiYSIsIjEiXQ", "W10", "bnVsbA"])
def test_a_cursor_that_nobody_gave_leads_to_the_beginning(cursor: str, program: Program) -> None:
    assert program.get(f"/notices?cursor={cursor}").json() == {"items": [], "next": None}


def test_there_is_nothing_elsewhere_and_it_is_said_in_the_same_shape(program: Program) -> None:
    for path in ("/nothing", "/notices/", "/notices/0123456789abcdef/nothing"):
        assert (program.get(path).status_code, program.get(path).json()["code"]) == (404, "not_found")
    answer = program.call("PUT", "/notices", wanted())
    assert (answer.status_code, answer["Content-Type"]) == (405, "application/problem+json")
    assert sorted(answer["Allow"].split(", ")) == ["GET", "HEAD", "POST"]


@pytest.mark.parametrize("path", ["/notices", "/notices?limit=0", "/notices/0123456789abcdef", "/nothing"])
def test_head_is_answered_as_get_without_the_body(path: str, program: Program) -> None:
    whole, head = program.get(path), program.call("HEAD", path)
    assert head.status_code == whole.status_code
    assert head.content == b""
    assert head["Content-Type"] == whole["Content-Type"]
    assert head["Content-Length"] == str(len(whole.content))


def test_head_needs_the_key_that_get_needs(program: Program) -> None:
    program.key = "envoi_wrong"
    assert program.call("HEAD", "/notices").status_code == 401


def test_a_body_beyond_bounds_is_refused(program: Program, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = program.post("/notices", wanted(body="x" * 2000))
    assert 400 <= answer.status_code < 500
    assert answer["Content-Type"] == "application/problem+json"


def test_a_fault_of_ours_tells_programs_nothing_but_that(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(notices, "in_state", broken)
    answer = program.get("/notices")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_server_error")
    assert "secret" not in answer.content.decode()


def test_people_are_told_in_their_language(program: Program) -> None:
    answer = program.get("/nothing", Accept_Language="fr")
    assert answer["Content-Language"] == "fr"


def test_pages_of_people_are_not_touched(client: Client) -> None:
    assert client.get("/accounts/nothing/")["Content-Type"].startswith("text/html")
