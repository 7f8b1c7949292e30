"""Profile, general settings, users, audit, home, errors: what the server answers."""

from __future__ import annotations

import re

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries

from envoi.accounts.actions import audit
from envoi.accounts.models import AuditEntry, Role, User
from envoi.accounts.tests.factories import a_user
from envoi.console import assets, errors
from envoi.instance import queries
from envoi.instance.schema import NEW_NOTICES_PER_DAY, NOTICES_PER_DASHBOARD, ORGANISATION_NAME, TIME_ZONE

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(client: Client) -> User:
    ada = a_user(name="Ada")
    client.force_login(ada)
    return ada


GENERAL = {
    "organisation_name": "Räksmörgås AB",
    "postal_address": "Storgatan 1",
    "default_language": "sv",
    "time_zone": "Europe/Stockholm",
    "opt_out_required": "on",
}


def test_ada_saves_the_general_settings_and_is_told(client: Client, ada: User) -> None:
    answer = client.post("/settings/general/", GENERAL, follow=True)
    assert "The settings are saved." in answer.text
    assert queries.get(ORGANISATION_NAME) == "Räksmörgås AB"
    assert queries.get(TIME_ZONE) == "Europe/Stockholm"


def test_ada_limits_the_notices_on_a_dashboard_and_by_the_day(client: Client, ada: User) -> None:
    assert 'name="notices_per_dashboard" value="5"' in client.get("/settings/general/").text
    refused = client.post("/settings/general/", {**GENERAL, "new_notices_per_day": "101"})
    assert (refused.status_code, 'id="id_new_notices_per_day_error"' in refused.text) == (422, True)
    client.post("/settings/general/", {**GENERAL, "notices_per_dashboard": "0", "new_notices_per_day": "2"})
    assert (queries.get(NOTICES_PER_DASHBOARD), queries.get(NEW_NOTICES_PER_DAY)) == (0, 2)
    client.post("/settings/general/", GENERAL)
    assert (queries.get(NOTICES_PER_DASHBOARD), queries.get(NEW_NOTICES_PER_DAY)) == (0, 2)


def test_a_time_zone_that_is_none_is_refused_beside_its_field(client: Client, ada: User) -> None:
    answer = client.post("/settings/general/", {**GENERAL, "time_zone": "Mars/Olympus"})
    assert answer.status_code == 422
    assert 'id="id_time_zone_error"' in answer.text
    assert queries.get(ORGANISATION_NAME) == ""


def test_times_are_shown_in_the_time_zone_of_the_installation(client: Client, ada: User) -> None:
    audit.record(ada, "test")
    AuditEntry.objects.update(at="2026-07-01T22:30:00Z")
    client.post("/settings/general/", GENERAL)
    assert "2 Jul 2026, 00:30" in client.get("/settings/audit/").text


def test_the_one_time_password_is_shown_once_and_kept_by_no_cache(client: Client, ada: User) -> None:
    answer = client.post("/settings/users/new/", {"email": "bob@example.org", "name": "", "role": "editor"})
    found = re.search(r'id="one-time-password">([^<]+)<', answer.text)
    assert found is not None
    assert "no-store" in answer["Cache-Control"]
    bob = User.objects.get(email="bob@example.org")
    assert bob.check_password(found[1])
    assert found[1] not in client.get("/settings/users/").text


def test_a_second_user_of_one_address_is_refused(client: Client, ada: User) -> None:
    answer = client.post("/settings/users/new/", {"email": "ADA@example.org", "name": "", "role": "editor"})
    assert answer.status_code == 422
    assert "Somebody signs in with this address already." in answer.text
    assert User.objects.count() == 1


def test_the_last_owner_cannot_be_demoted_from_the_page(client: Client, ada: User) -> None:
    answer = client.post(f"/settings/users/{ada.pk}/role/", {"role": "viewer"}, follow=True)
    assert "Ada is the only owner who can sign in." in answer.text
    ada.refresh_from_db()
    assert ada.role == Role.OWNER


def test_a_new_password_ends_the_sessions_of_its_user(client: Client, ada: User) -> None:
    bob, his = a_user("bob@example.org", role=Role.EDITOR), Client()
    his.force_login(bob)
    assert his.get("/").status_code == 200
    client.post(f"/settings/users/{bob.pk}/password/")
    assert his.get("/").status_code == 302


def test_changing_ones_password_ends_the_other_sessions_only(client: Client, ada: User) -> None:
    elsewhere = Client()
    elsewhere.force_login(ada)
    words = {
        "oldpassword": "correct horse battery",
        "password1": "seven green bicycles",
        "password2": "seven green bicycles",
    }
    client.post("/accounts/password/change/", words)
    assert client.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    assert [entry.verb for entry in AuditEntry.objects.all()] == ["change_password"]


def test_the_session_key_changes_when_somebody_signs_in(client: Client) -> None:
    a_user()
    client.get("/accounts/login/")
    session = client.session
    session["before"] = "yes"
    session.save()
    client.cookies["sessionid"] = before = str(session.session_key)
    answer = client.post("/accounts/login/", {"login": "ada@example.org", "password": "correct horse battery"})
    assert answer.status_code == 302
    assert client.cookies["sessionid"].value != before


def test_guessing_passwords_is_slowed_down(client: Client) -> None:
    a_user()
    statuses = [
        client.post("/accounts/login/", {"login": "ada@example.org", "password": f"guess {n}"}).text for n in range(12)
    ]
    assert "Too many failed login attempts" in statuses[-1]
    last = client.post("/accounts/login/", {"login": "ada@example.org", "password": "correct horse battery"})
    assert last.status_code == 200


def test_a_visitor_chooses_a_language_and_keeps_it(client: Client) -> None:
    answer = client.post("/account/language/", {"language": "fr", "next": "/accounts/login/"})
    assert answer["Location"] == "/accounts/login/"
    assert '<html lang="fr"' in client.get("/accounts/login/").text


@pytest.mark.parametrize("next_page", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_after_choosing_a_language_one_stays_on_this_site(client: Client, next_page: str) -> None:
    assert client.post("/account/language/", {"language": "fr", "next": next_page})["Location"] == "/"


def test_the_profile_keeps_name_language_and_colours(client: Client, ada: User) -> None:
    client.post("/account/", {"name": "Ada L.", "language": "nl", "theme": "dark"})
    ada.refresh_from_db()
    assert (ada.name, ada.language, ada.theme) == ("Ada L.", "nl", "dark")
    page = client.get("/account/").text
    assert '<html lang="nl"' in page
    assert 'data-bs-theme="dark"' in page


def test_home_shows_the_steps_of_ones_role(client: Client, ada: User) -> None:
    assert "Say who you are" in client.get("/").text
    client.force_login(a_user("dmitri@example.org", role=Role.VIEWER))
    page = client.get("/").text
    assert "First steps" not in page
    assert "Add Broadcast" not in page


@pytest.mark.parametrize(
    ("path", "limit"), [("/", 18), ("/settings/users/", 5), ("/settings/audit/", 5), ("/settings/general/", 5)]
)
def test_a_page_asks_the_database_as_often_for_many_rows_as_for_one(
    client: Client, ada: User, django_assert_max_num_queries: DjangoAssertNumQueries, path: str, limit: int
) -> None:
    for number in range(30):
        audit.record(ada, "add_user", a_user(f"user{number}@example.org"))
    with django_assert_max_num_queries(limit):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "{{ settings.SECRET_KEY }}", "\u202eadA"])
def test_a_name_is_shown_as_it_was_typed(client: Client, ada: User, name: str) -> None:
    client.post("/account/", {"name": name, "language": "en", "theme": "system"})
    page = client.get("/settings/users/").text
    assert "<script>alert" not in page
    assert name.replace("<", "&lt;").replace(">", "&gt;") in page


def test_pages_that_are_not_there_say_so_in_the_frame(client: Client) -> None:
    answer = client.get("/nowhere/")
    assert answer.status_code == 404
    assert "Nothing here" in answer.text
    assert "shell-brand" in answer.text


def test_a_refused_form_says_why(client: Client) -> None:
    answer = Client(enforce_csrf_checks=True).post("/account/language/")
    assert answer.status_code == 403
    assert "This form is too old" in answer.text


def test_a_failure_is_told_in_the_frame_and_plainly_when_the_frame_fails_too(
    rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = errors.server_error(rf.get("/"))
    assert answer.status_code == 500
    assert "shell-brand" in answer.text

    def missing(name: str) -> str:
        raise assets.FrontEndNotBuilt("gone")

    monkeypatch.setattr(assets, "address", missing)
    plain = errors.server_error(rf.get("/"))
    assert plain.status_code == 500
    assert plain.text == errors.PLAIN


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (OperationalError("database or disk is full"), 503, "Make room on the disk"),
        (OSError(28, "No space left on device"), 503, "Make room on the disk"),
        (OperationalError("connection refused"), 503, "“bin/envoi check” says what is wrong"),
        (OperationalError("no such column: x"), 500, "That was us, not you"),
        (ValueError("ours"), 500, "That was us, not you"),
    ],
)
def test_trouble_around_envoi_is_named_with_its_remedy(
    client: Client, ada: User, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, words: str
) -> None:
    def failing(*_: object) -> None:
        raise error

    client.raise_request_exception = False
    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", failing)
    answer = client.get("/")
    assert answer.status_code == status
    assert words in answer.text


def test_no_page_holds_script_or_style_of_its_own(client: Client, ada: User) -> None:
    for path in ["/", "/account/", "/settings/", "/settings/general/", "/settings/users/", "/accounts/2fa/"]:
        answer = client.get(path)
        assert "script-src 'self'" in answer["Content-Security-Policy"].split("; ")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", answer.text), path
        assert not re.search(r"<script(?![^>]*(src=|application/json))", answer.text), path
