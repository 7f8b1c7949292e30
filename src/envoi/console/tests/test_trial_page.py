"""An owner sends a test message, and reads the server's own words."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from envoi.accounts.models import AuditEntry, Role, User
from envoi.console.tests.sending_pages import page_of, save, stored, trial_page
from envoi.delivery.actions import setup
from envoi.delivery.models import SenderIdentity
from envoi.delivery.sandbox.server import Server
from envoi.delivery.sandbox.store import mailbox
from envoi.delivery.smtp.tests.scripted import Hangup, Peer, Script, Scripted

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


def test_a_test_message_arrives_in_the_sandbox(owner: Client, data_folder: Path) -> None:
    save(owner, kind="sandbox")
    SenderIdentity.objects.update(from_name="Åsa of Envoi", from_address="news@lantern.se")

    with beside(Server(data_folder)):
        answer = owner.post(trial_page(), {"to": "åsa@example.net"})

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

    assert client.get(page_of(stored().transport)).context["trial_form"].initial == {"to": "test@example.org"}


def test_without_the_sandbox_running_the_test_says_so(owner: Client) -> None:
    answer = owner.post(trial_page(), {"to": "ada@example.net"})

    assert "The sandbox mailbox is not running" in answer.content.decode()


def test_a_test_to_no_address_is_refused(owner: Client) -> None:
    answer = owner.post(
        trial_page(),
        {"to": "nobody"},
        headers={"HX-Request": "true", "HX-Target": "trial"},
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
        page = owner.post(trial_page(), {"to": "ada@example.net"}).content.decode()

    assert "The message was not sent" in page
    assert answer in page
    assert words in page
    assert "correct horse" not in page
    assert "AGVudm9pAGNvcnJlY3QgaG9yc2U=" not in page


def test_a_server_that_is_not_there_is_told_with_a_remedy(owner: Client) -> None:
    save(owner, host="127.0.0.1", port="1", security="none")

    page = owner.post(trial_page(), {"to": "ada@example.net"}).content.decode()

    assert "Nothing answers at this host and port" in page
