"""What the engine and the test message send is signed; the whole conversation is with a server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from envoi.core import clock, wording
from envoi.delivery.actions import signing, trial
from envoi.delivery.composers import Compose, Leased, Message, RenderProblem
from envoi.delivery.dkim.records import record
from envoi.delivery.dkim.tests.messages import ED25519, RSA, verified
from envoi.delivery.models import Delivery, DkimKey, Mailing, Transport
from envoi.delivery.shifts.work import work
from envoi.delivery.tests.composing import Plain, Text
from envoi.delivery.tests.factories import make_identity, make_mailing, make_transport
from envoi.delivery.tests.mailbox import Mailbox, mailbox

pytestmark = pytest.mark.django_db


class FromUs(Text):
    def write(self, leased: Leased, problem: str | None, /) -> Message | RenderProblem:
        written = super().write(leased, problem)
        if isinstance(written, RenderProblem):
            return written
        return Message(written.return_path, b"From: news@example.org\r\n" + written.data)


class Signable(Plain):
    def open(self, mailing: Mailing, /) -> Compose:
        return FromUs(self, mailing)


@pytest.fixture
def server() -> Iterator[Mailbox]:
    with mailbox() as found:
        yield found


@pytest.fixture
def relay(server: Mailbox) -> Transport:
    return make_transport(port=server.port)


@pytest.fixture(autouse=True)
def composer() -> Iterator[Plain]:
    with Signable().registered() as found:
        yield found


def in_use(algorithm: str = ED25519) -> DkimKey:
    key = signing.make("example.org", algorithm, actor=None)
    signing.turn_on(key, anyway=True, resolve=lambda name: [], actor=None)
    return key


def in_dns(*keys: DkimKey) -> dict[str, str]:
    return {record(key).name: record(key).value for key in keys}


def test_a_mailing_is_signed_with_both_keys_of_its_sender(server: Mailbox, relay: Transport) -> None:
    keys = in_use(RSA), in_use(ED25519)
    work(make_mailing("ada@example.net", "bob@example.net", transport=relay).pk)
    assert len(server.messages) == 2
    assert [verified(message, in_dns(*keys)) for message in server.messages] == [[True, True], [True, True]]


def test_without_a_key_that_signs_a_mailing_leaves_as_it_was_written(server: Mailbox, relay: Transport) -> None:
    signing.make("example.org", ED25519, actor=None)
    work(make_mailing("ada@example.net", transport=relay).pk)
    [message] = server.messages
    assert message.startswith(b"From: news@example.org\r\n")
    assert b"DKIM" not in message


def test_a_second_attempt_is_the_same_message_signature_and_all(server: Mailbox, relay: Transport) -> None:
    in_use(RSA)
    in_use(ED25519)
    mailing = make_mailing("ada@example.net", transport=relay)
    server.answers = ["450 4.2.0 Later", "250 2.0.0 Taken"]
    work(mailing.pk)
    Delivery.objects.update(retry_at=clock.now() - timedelta(seconds=1))
    work(mailing.pk)
    assert Delivery.objects.get().state == Delivery.State.SENT
    first, second = server.messages
    assert first == second
    assert first.count(b"DKIM-Signature:") == 2


def test_a_key_that_cannot_be_read_pauses_the_mailing_and_says_which(server: Mailbox, relay: Transport) -> None:
    key = in_use()
    DkimKey.objects.update(private_encrypted="v1.AAAA")
    mailing = make_mailing("ada@example.net", transport=relay)
    work(mailing.pk)
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.PAUSED
    assert f"The DKIM key {key} cannot be read" in wording.said(mailing.state_reason)
    assert server.messages == []
    assert Delivery.objects.get().state == Delivery.State.PENDING


def test_the_test_message_of_the_settings_is_signed(server: Mailbox, relay: Transport) -> None:
    key = in_use()
    assert trial.send(make_identity(relay), "bob@example.net", actor=None).accepted
    assert [verified(message, in_dns(key)) for message in server.messages] == [[True]]
