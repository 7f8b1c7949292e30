"""An owner sets up the mail server, tries it, and lets a paused one go on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from envoi.accounts.models import AuditEntry, Role, User
from envoi.core import secrets
from envoi.delivery.actions import setup
from envoi.delivery.actions.standstill import pause_transport
from envoi.delivery.models import SenderIdentity, Transport
from envoi.delivery.providers import PROVIDERS
from envoi.delivery.sandbox.server import Server
from envoi.delivery.sandbox.store import mailbox
from envoi.delivery.smtp.tests.scripted import Hangup, Peer, Script, Scripted

pytestmark = pytest.mark.django_db

PAGE = "settings:sending"
RELAY = {
    "kind": "smtp",
    "host": "smtp.example.org",
    "port": "587",
    "security": "starttls",
    "username": "envoi",
    "password": "correct horse",
    "from_name": "Åsa of Envoi",
    "from_address": "news@lantern.se",
    "reply_to": "",
    "max_connections": "5",
    "per_second": "20",
    "per_hour": "",
}


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("ENVOI_SANDBOX_PORT", raising=False)
    settings.ENVOI_DATA = tmp_path
    return tmp_path


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(User.objects.create_user("olga@example.org", role=Role.OWNER))
    return client


@contextmanager
def beside(server: Any) -> Iterator[Any]:
    """Run an asynchronous server in a thread of its own."""
    started, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        async with server:
            loops.append(asyncio.get_running_loop())
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(10)
    try:
        yield server
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join()


def said(answer: HttpResponseBase) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))  # type: ignore[attr-defined]


def stored() -> SenderIdentity:
    return SenderIdentity.objects.select_related("transport").get(is_default=True)


def save(client: Client, **changes: str) -> HttpResponseBase:
    return client.post(reverse(PAGE), RELAY | changes)


def test_looking_changes_nothing_and_shows_the_sandbox(owner: Client) -> None:
    answer = owner.get(reverse(PAGE))

    assert answer.status_code == 200
    assert Transport.objects.count() == 0
    assert SenderIdentity.objects.count() == 0


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
    assert str(identity) == "Åsa of Envoi <news@lantern.se>"
    assert "correct horse" not in transport.password_encrypted
    assert secrets.decrypt(transport.password_encrypted, f"transport:{transport.pk}") == "correct horse"
    entry = AuditEntry.objects.get(verb="change", subject_type="delivery.transport")
    assert entry.actor_label == "olga@example.org"
    assert entry.details["password"] == "entered"
    assert "correct horse" not in str(entry.details)


def test_the_password_is_never_shown_again_and_kept_when_left_empty(owner: Client) -> None:
    save(owner)

    page = owner.get(reverse(PAGE)).content.decode()
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
        ("from_address", "nobody", "is not an e-mail address"),
        ("from_address", "", "required"),
        ("reply_to", "a@b@c", "is not an e-mail address"),
        ("from_name", "Ada\x07", "control characters"),
        ("max_connections", "0", "greater than or equal to 1"),
        ("per_second", "-1", "greater than or equal to 1"),
        ("kind", "pigeon", "Select a valid choice"),
    ],
)
def test_a_wrong_setting_names_its_field_and_nothing_is_stored(
    owner: Client, field: str, value: str, words: str
) -> None:
    setup.ensure_defaults()

    answer = save(owner, **{field: value})

    assert answer.status_code == 422
    form = answer.context["form"]  # type: ignore[attr-defined]
    assert words in " ".join(form.errors[field])
    assert stored().transport.kind == "sandbox"
    assert stored().from_name == ""
    page = answer.content.decode()  # type: ignore[attr-defined]
    assert "correct horse" not in page
    if field != "from_name":
        assert "Åsa of Envoi" in page
    assert not AuditEntry.objects.filter(verb="change").exists()


def test_a_password_may_go_in_clear_to_this_machine_only(owner: Client) -> None:
    assert save(owner, host="127.0.0.1", security="none").status_code == 302
    assert save(owner, host="10.0.0.1", security="none", password="x").status_code == 422


def test_a_provider_fills_the_form_and_saves_nothing(owner: Client) -> None:
    page = owner.get(reverse(PAGE), {"provider": "sendgrid"})

    initial = page.context["form"].initial
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


@pytest.mark.parametrize(
    ("address", "words"), [("ada@gmail.com", "free mailbox provider"), ("news@example.org", "is a placeholder")]
)
def test_a_sender_that_will_not_arrive_is_doubted(owner: Client, address: str, words: str) -> None:
    save(owner, from_address=address)

    assert words in owner.get(reverse(PAGE)).content.decode()


def test_a_test_message_arrives_in_the_sandbox(owner: Client, data_folder: Path) -> None:
    save(owner, kind="sandbox")

    with beside(Server(data_folder)):
        answer = owner.post(reverse("settings:sending-test"), {"to": "åsa@example.net"})

    page = answer.content.decode()
    assert "The server took the message" in page
    assert "250 2.0.0 Kept in the sandbox mailbox" in page
    (row,) = mailbox().list().rows
    assert (row.rcpt_to, row.sender, row.subject) == (
        "åsa@example.net",
        "Åsa of Envoi <news@lantern.se>",
        "Test message from Envoi",
    )
    assert AuditEntry.objects.filter(verb="test", details__to="åsa@example.net").count() == 1


def test_the_first_owner_without_a_real_address_can_try_as_well(client: Client) -> None:
    client.force_login(User.objects.create_user("owner@localhost", role=Role.OWNER))
    setup.ensure_defaults()

    assert client.get(reverse(PAGE)).context["trial_form"].initial == {"to": "test@example.org"}


def test_without_the_sandbox_running_the_test_says_so(owner: Client) -> None:
    answer = owner.post(reverse("settings:sending-test"), {"to": "ada@example.net"})

    assert "The sandbox mailbox is not running" in answer.content.decode()


def test_a_test_to_no_address_is_refused(owner: Client) -> None:
    answer = owner.post(
        reverse("settings:sending-test"), {"to": "nobody"}, headers={"HX-Request": "true", "HX-Target": "trial"}
    )

    page = answer.content.decode()
    assert "is not an e-mail address" in page
    assert "<html" not in page


async def refuse_password(peer: Peer) -> None:
    await peer.hello("AUTH PLAIN")
    await peer.expect("AUTH")
    await peer.say("535 5.7.8 Authentication credentials invalid")


async def refuse_relaying(peer: Peer) -> None:
    await peer.hello("AUTH PLAIN")
    await peer.expect("AUTH")
    await peer.say("235 ok")
    await peer.expect("MAIL")
    await peer.say("250 ok")
    await peer.expect("RCPT")
    await peer.say("554 5.7.1 Relay access denied")


async def hang_up(peer: Peer) -> None:
    raise Hangup


@pytest.mark.parametrize(
    ("script", "answer", "words"),
    [
        (refuse_password, "535 5.7.8 Authentication credentials invalid", "did not accept user name and password"),
        (refuse_relaying, "554 5.7.1 Relay access denied", "does not carry mail for us"),
        (hang_up, "the connection broke off", "ended the connection without a word"),
    ],
)
def test_a_test_that_fails_shows_the_servers_words_and_a_remedy(
    owner: Client, script: Script, answer: str, words: str
) -> None:
    with beside(Scripted([script])) as server:
        save(owner, host="127.0.0.1", port=str(server.port), security="none")
        page = owner.post(reverse("settings:sending-test"), {"to": "ada@example.net"}).content.decode()

    assert "The message was not sent" in page
    assert answer in page
    assert words in page
    assert "correct horse" not in page
    assert "AGVudm9pAGNvcnJlY3QgaG9yc2U=" not in page


def test_a_server_that_is_not_there_is_told_with_a_remedy(owner: Client) -> None:
    save(owner, host="127.0.0.1", port="1", security="none")

    page = owner.post(reverse("settings:sending-test"), {"to": "ada@example.net"}).content.decode()

    assert "Nothing answers at this host and port" in page


def test_a_paused_transport_says_why_and_goes_on_when_resumed(owner: Client) -> None:
    identity = setup.ensure_defaults()
    pause_transport(identity.transport, reason="535 5.7.8 wrong password", actor=None)

    page = owner.get(reverse(PAGE)).content.decode()
    answer = owner.post(reverse("settings:sending-resumption"))

    assert "535 5.7.8 wrong password" in page
    assert stored().transport.paused_at is None
    assert said(answer) == "Sending goes on."
    owner.post(reverse("settings:sending-resumption"))
    assert AuditEntry.objects.filter(verb="resume").count() == 1


@pytest.mark.parametrize("name", [PAGE, "settings:sending-test", "settings:sending-resumption"])
@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_only_owners_may(client: Client, role: str, name: str) -> None:
    client.force_login(User.objects.create_user("eva@example.org", role=role))

    assert client.post(reverse(name), RELAY).status_code == 403
    assert Transport.objects.count() == 0


def test_the_page_asks_the_database_little(
    owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    setup.ensure_defaults()

    with django_assert_max_num_queries(6):
        owner.get(reverse(PAGE))


def test_the_defaults_are_made_once(settings: Any) -> None:
    settings.ENVOI_BASE_URL = "https://mail.lantern.se"

    first, second = setup.ensure_defaults(), setup.ensure_defaults()

    assert first == second
    assert first.from_address == "news@mail.lantern.se"
    assert (Transport.objects.count(), SenderIdentity.objects.count()) == (1, 1)
