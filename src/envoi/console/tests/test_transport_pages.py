"""An owner adds and sets up transports, tries them, pauses them and lets them go on."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from pytest_django import DjangoAssertNumQueries

from envoi.accounts.models import AuditEntry, Role, User
from envoi.console.tests.sending_pages import RELAY, Values, add, page_of, said, save, stored
from envoi.core import clock, secrets, wording
from envoi.delivery.actions import setup
from envoi.delivery.actions.standstill import pause_transport
from envoi.delivery.models import Mailing, Pace, Route, SenderIdentity, Tally, Transport
from envoi.delivery.providers import PROVIDERS
from envoi.delivery.queries.transports import standings
from envoi.delivery.tests.factories import make_identity, make_mailing, make_transport

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("ENVOI_SANDBOX_PORT", raising=False)
    settings.ENVOI_DATA = tmp_path
    return tmp_path


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(User.objects.create_user("olga@example.org", role=Role.OWNER))
    return client


def test_looking_changes_nothing_and_offers_a_first_transport(owner: Client) -> None:
    page = owner.get(reverse("settings:sending")).content.decode()

    assert "No transport yet" in page
    assert "No sender yet" in page
    assert Transport.objects.count() == 0
    assert SenderIdentity.objects.count() == 0


def test_whoever_has_only_the_sandbox_is_led_to_a_mail_server(owner: Client) -> None:
    transport = setup.ensure_defaults().transport

    overview = owner.get(reverse("settings:sending")).content.decode()
    form = owner.get(page_of(transport), {"kind": "smtp"}).context["form"]

    assert "Everything you send stays in the sandbox mailbox" in overview
    assert f"{page_of(transport)}?kind=smtp" in overview
    assert form.initial["kind"] == "smtp"
    assert stored().transport.kind == "sandbox"


def test_a_relay_is_stored_with_its_password_encrypted(owner: Client) -> None:
    answer = save(owner)

    assert answer.status_code == 302
    identity = stored()
    transport = identity.transport
    assert (transport.kind, transport.host, transport.port, transport.security, transport.username) == (
        "smtp",
        "smtp.example.org",
        587,
        "starttls",
        "envoi",
    )
    assert (transport.max_connections, transport.per_second, transport.per_hour) == (5, 20, None)
    assert "correct horse" not in transport.password_encrypted
    assert secrets.decrypt(transport.password_encrypted, f"transport:{transport.pk}") == "correct horse"
    entry = AuditEntry.objects.get(verb="change", subject_type="delivery.transport")
    assert entry.actor_label == "olga@example.org"
    assert entry.details["password"] == "entered"
    assert "correct horse" not in str(entry.details)


def test_the_password_is_never_shown_again_and_kept_when_left_empty(owner: Client) -> None:
    save(owner)

    page = owner.get(page_of(stored().transport)).content.decode()
    save(owner, password="", per_hour="9000")

    assert "correct horse" not in page
    assert "A password is stored" in page
    transport = stored().transport
    assert transport.per_hour == 9000
    assert secrets.decrypt(transport.password_encrypted, f"transport:{transport.pk}") == "correct horse"


@pytest.mark.parametrize("change", [{"host": "evil.example.net"}, {"username": "eve"}])
def test_a_stored_password_does_not_go_to_another_server_or_user(owner: Client, change: dict[str, str]) -> None:
    save(owner)

    answer = save(owner, password="", **change)

    assert answer.status_code == 422
    assert "Enter the password again" in answer.content.decode()  # type: ignore[attr-defined]
    assert (stored().transport.host, stored().transport.username) == ("smtp.example.org", "envoi")


def test_user_and_password_are_removed_together(owner: Client) -> None:
    save(owner)

    save(owner, password="", forget="on")

    transport = stored().transport
    assert (transport.username, transport.password_encrypted) == ("", "")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("host", "", "Enter the name of the server"),
        ("host", "https://smtp.example.org", "Enter only the name of the server"),
        ("host", "smtp.example.org:587", "Enter only the name of the server"),
        ("port", "99999", "less than or equal to 65535"),
        ("port", "", "Enter a port"),
        ("port", "abc", "Enter a number, such as 587"),
        ("security", "none", "A password is only sent encrypted"),
        ("username", "", "Enter the user name that this password belongs to"),
        ("password", "", "Enter the password that belongs to this user name"),
        ("name", "", "required"),
        ("name", "Spare", "There is already a transport with this name"),
        ("name", "Ma\x07in", "control characters"),
        ("max_connections", "0", "greater than or equal to 1"),
        ("per_second", "-1", "greater than or equal to 1"),
        ("kind", "pigeon", "Select a valid choice"),
    ],
)
def test_a_wrong_setting_names_its_field_and_nothing_is_stored(
    owner: Client, field: str, value: str, words: str
) -> None:
    make_transport("Spare")
    setup.ensure_defaults()

    answer = save(owner, **{field: value})

    assert answer.status_code == 422
    form = answer.context["form"]  # type: ignore[attr-defined]
    assert words in " ".join(form.errors[field])
    transport = stored().transport
    assert (transport.kind, transport.name, transport.host) == ("sandbox", "Main", "")
    page = answer.content.decode()  # type: ignore[attr-defined]
    assert "correct horse" not in page
    assert not AuditEntry.objects.filter(verb="change").exists()


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"messages_per_connection": "0"}, "messages_per_connection", "greater than or equal to 1"),
        ({"per_hour": "99999999999"}, "per_hour", "Enter a smaller number"),
        ({"open_from": "08:00"}, "open_until", "Enter both times"),
        ({"open_until": "08:00"}, "open_from", "Enter both times"),
        ({"open_from": "08:00", "open_until": "08:00"}, "open_until", "a time other than the first"),
        ({"open_from": "25:00", "open_until": "08:00"}, "open_from", "Enter a valid time"),
        ({"open_days": []}, "open_days", "Choose at least one day"),
        ({"open_days": ["8"]}, "open_days", "Select a valid choice"),
        ({"release": "never"}, "release", "Select a valid choice"),
        ({"release": "queued"}, "portion", "Enter how many messages may leave in one run"),
        ({"release": "queued", "portion": "5", "portion_minutes": "20000"}, "portion_minutes", "which is a week"),
    ],
)
def test_a_limit_that_cannot_be_kept_names_its_field(
    owner: Client, changes: dict[str, Values], field: str, words: str
) -> None:
    answer = add(owner, name="Night", **changes)

    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors[field])  # type: ignore[attr-defined]
    assert not Transport.objects.exists()


def test_a_second_transport_is_added_with_its_limits_and_its_own_password(owner: Client) -> None:
    save(owner)

    answer = add(
        owner,
        name=" Night shift ",
        password="battery staple",
        messages_per_connection="100",
        per_hour="9000",
        open_from="22:00",
        open_until="06:00",
        open_days=["5", "1"],
        release="queued",
        portion="500",
        portion_minutes="10",
    )

    night = Transport.objects.get(name="Night shift")
    assert answer["Location"] == page_of(night)
    assert (night.messages_per_connection, night.per_second, night.per_hour) == (100, 20, 9000)
    assert (night.open_from, night.open_until, night.open_days) == (time(22), time(6), "15")
    assert (night.release, night.portion, night.portion_minutes) == ("queued", 500, 10)
    assert secrets.decrypt(night.password_encrypted, f"transport:{night.pk}") == "battery staple"
    assert stored().transport.name == "Main"
    assert AuditEntry.objects.get(verb="create", subject_type="delivery.transport").details["portion"] == "500"
    page = owner.get(reverse("settings:sending")).content.decode()
    assert "20 a second" in page
    assert "9,000 an hour" in page
    assert "Monday, Friday" in page
    assert "500 every 10 minutes" in page


def test_portions_are_forgotten_when_it_sends_as_soon_as_possible(owner: Client) -> None:
    save(owner, release="queued", portion="500", portion_minutes="10")
    save(owner, portion="500", portion_minutes="10")

    transport = stored().transport
    assert (transport.release, transport.portion, transport.portion_minutes) == ("immediate", None, None)


def test_a_transport_that_nothing_needs_is_removed(owner: Client) -> None:
    setup.ensure_defaults()
    spare = make_transport("Spare")

    answer = owner.post(page_of(spare, "transport-removal"))

    assert answer["Location"] == reverse("settings:sending")
    assert said(answer) == "“Spare” is removed."
    assert [one.name for one in Transport.objects.all()] == ["Main"]
    assert AuditEntry.objects.filter(verb="delete", subject_label="Spare").count() == 1


def test_a_transport_that_a_sender_or_a_route_names_stays(owner: Client) -> None:
    identity = setup.ensure_defaults()
    spare = make_transport("Spare")
    Route.objects.create(identity=identity, transport=spare)

    for transport in (identity.transport, spare):
        page = owner.post(page_of(transport, "transport-removal"), follow=True).content.decode()
        assert escape(f"Mail from {identity} goes over it. Choose another transport there first.") in page
    assert Transport.objects.count() == 2
    assert not AuditEntry.objects.filter(verb="delete").exists()


def test_a_password_may_go_in_clear_to_this_machine_only(owner: Client) -> None:
    assert save(owner, host="127.0.0.1", security="none").status_code == 302
    assert save(owner, host="10.0.0.1", security="none", password="x").status_code == 422


def test_a_provider_fills_the_form_and_saves_nothing(owner: Client) -> None:
    page = owner.get(reverse("settings:transport-new"), {"provider": "sendgrid"})

    initial = page.context["form"].initial
    assert initial["name"] == "SendGrid"
    assert (initial["kind"], initial["host"], initial["port"], initial["username"]) == (
        "smtp",
        "smtp.sendgrid.net",
        587,
        "apikey",
    )
    assert Transport.objects.count() == 0


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.key)
def test_what_a_provider_fills_in_can_be_saved(owner: Client, provider: Any) -> None:
    filled = {"host": provider.host, "port": str(provider.port), "security": provider.security}

    assert save(owner, **filled).status_code == 302


def test_a_paused_transport_says_why_and_goes_on_when_resumed(owner: Client) -> None:
    identity = setup.ensure_defaults()
    pause_transport(identity.transport, reason="535 5.7.8 wrong password", actor=None)

    page = owner.get(page_of(stored().transport)).content.decode()
    answer = owner.post(page_of(stored().transport, "transport-resumption"))

    assert "535 5.7.8 wrong password" in page
    assert stored().transport.paused_at is None
    assert said(answer) == "Sending goes on."
    owner.post(page_of(stored().transport, "transport-resumption"))
    assert AuditEntry.objects.filter(verb="resume").count() == 1


def test_a_transport_is_paused_by_hand_and_says_by_whom(owner: Client) -> None:
    transport = setup.ensure_defaults().transport

    answer = owner.post(page_of(transport, "transport-pause"))

    transport.refresh_from_db()
    assert wording.said(transport.paused_reason) == "Paused by olga@example.org."
    assert transport.resume_at is None
    assert said(answer) == "“Main” is paused. Nobody loses a message by it."
    overview = owner.get(reverse("settings:sending")).content.decode()
    assert "Paused by olga@example.org." in overview
    assert "Resume Main" in overview
    owner.post(page_of(transport, "transport-pause"))
    assert AuditEntry.objects.filter(verb="pause").count() == 1


def test_a_transport_outside_its_hours_says_until_when(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 21, 12, tzinfo=UTC))
    make_transport("Weekdays", open_days="12345", open_from=time(8), open_until=time(18))

    page = owner.get(reverse("settings:sending")).content.decode()

    assert "Outside the hours of “Weekdays”; sending goes on at 23 Nov 2026, 08:00." in page


def test_the_rate_of_the_last_minutes_is_that_of_its_mailings(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: now)
    fast, slow = make_transport("Fast"), make_transport("Slow")
    for transport, number in ((fast, 900), (slow, 6)):
        mailing = make_mailing(transport=transport)
        for minute, count in ((0, number // 3), (1, number), (5, 1_000_000)):
            moment = now.replace(second=0) - timedelta(minutes=minute)
            Tally.objects.create(mailing=mailing, minute=moment, state="sent", count=count)

    # The present minute has lasted half a minute: 1,200 in one and a half, and 8.
    found = standings([fast, slow])

    assert [round(found[one.pk].per_minute) for one in (fast, slow)] == [800, 5]


def test_the_rate_of_a_sender_with_several_transports_is_shared_as_its_last_rows_went(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: now)
    own, further = make_transport("Own"), make_transport("Further")
    mailing = make_mailing(*(f"reader{number}@example.net" for number in range(6)), transport=own)
    Route.objects.create(identity=mailing.identity, transport=further)
    keys = sorted(mailing.deliveries.values_list("pk", flat=True))
    Mailing.objects.filter(pk=mailing.pk).update(leased_to=keys[4])
    mailing.deliveries.filter(pk__in=keys[:4]).update(transport=further, state_at=now)
    mailing.deliveries.filter(pk=keys[0]).update(transport=own)
    Tally.objects.create(mailing=mailing, minute=now.replace(second=0), state="sent", count=1200)

    found = standings([own, further])

    assert [round(found[one.pk].per_minute) for one in (own, further)] == [200, 600]


def test_the_next_portion_leaves_when_an_owner_wants_it(owner: Client) -> None:
    transport = make_transport("Main", release="queued", portion=1200)
    make_mailing(*(f"reader{number}@example.net" for number in range(3)), transport=transport)
    page = owner.get(page_of(transport)).content.decode()
    assert "The next portion waits for “envoi send-due”, or for you." in page
    assert "Send the next portion now" in page

    answer = owner.post(page_of(transport, "transport-portions"))

    assert said(answer) == "The next portion leaves now: 1,200 messages at most."
    entry = AuditEntry.objects.get(verb="send_portion")
    assert (entry.actor_label, entry.details) == ("olga@example.org", {"messages": 1200})
    Pace.objects.update(run_left=1188)
    for name in ("transport", "transport-portion"):
        page = owner.get(page_of(transport, name)).content.decode()
        assert "12 of 1,200 messages of this portion have left." in page
        assert "Send the next portion now" not in page
        assert f'hx-get="{page_of(transport, "transport-portion")}"' in page
    assert said(owner.post(page_of(transport, "transport-portions"))) == "A portion is leaving already."
    assert owner.get(page_of(transport, "transport-portions")).status_code == 405
    Mailing.objects.update(state=Mailing.State.PAUSED)
    page = owner.get(page_of(transport, "transport-portion")).content.decode()
    assert "Nothing waits to be sent over it." in page
    assert "hx-get" not in page
    assert AuditEntry.objects.filter(verb="send_portion").count() == 1


def test_a_transport_that_sends_as_soon_as_possible_has_no_portions(owner: Client) -> None:
    transport = make_transport("Main")
    assert 'id="portion"' not in owner.get(page_of(transport)).content.decode()
    assert owner.get(page_of(transport, "transport-portion")).content.strip() == b""
    assert said(owner.post(page_of(transport, "transport-portions"))) == "“Main” does not send in portions."


ROUTES = (
    "transport",
    "transport-test",
    "transport-pause",
    "transport-resumption",
    "transport-portions",
    "transport-removal",
)


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_only_owners_may(client: Client, role: str) -> None:
    client.force_login(User.objects.create_user("eva@example.org", role=role))
    transport = setup.ensure_defaults().transport

    for name in ROUTES:
        assert client.post(page_of(transport, name), RELAY).status_code == 403
    assert add(client, name="Mine").status_code == 403
    assert client.get(reverse("settings:sending")).status_code == 403
    transport.refresh_from_db()
    assert (transport.kind, transport.paused_at) == ("sandbox", None)
    assert Transport.objects.count() == 1


def test_the_pages_ask_the_database_little_however_many_there_are(
    owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    setup.ensure_defaults()
    for number in range(8):
        identity = make_identity(make_transport(f"Relay {number}"))
        closed = make_transport(f"Spare {number}", open_days="8", open_from=time(8), open_until=time(9))
        Route.objects.create(identity=identity, transport=closed)

    with django_assert_max_num_queries(14):
        page = owner.get(reverse("settings:sending")).content.decode()
    assert page.count("has no day on which it sends") == 8
    with django_assert_max_num_queries(14):
        owner.get(page_of(stored().transport))


def test_the_defaults_are_made_once(settings: Any) -> None:
    settings.ENVOI_BASE_URL = "https://mail.lantern.se"

    first, second = setup.ensure_defaults(), setup.ensure_defaults()

    assert first == second
    assert first.from_address == "news@mail.lantern.se"
    assert (Transport.objects.count(), SenderIdentity.objects.count()) == (1, 1)
