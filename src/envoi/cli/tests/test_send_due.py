"""`envoi send-due`: portions from cron, without a worker."""

from __future__ import annotations

import argparse
import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from envoi.cli import send_due
from envoi.cli.faults import Stop
from envoi.core import clock
from envoi.delivery.models import Delivery, Mailing, Pace, Transport
from envoi.delivery.tests.composing import Plain
from envoi.delivery.tests.factories import make_mailing, make_transport

pytestmark = pytest.mark.django_db

QUEUED = Transport.Release.QUEUED


class Server:
    def __init__(self) -> None:
        self.received: list[str] = []
        self.refuses = False

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return "550 5.7.1 You may not" if self.refuses else "250 2.1.0 Fine"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.received += envelope.rcpt_tos
        return "250 2.0.0 Taken"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Server, int]]:
    monkeypatch.setattr("envoi.cli.serving.stop_on_signals", lambda: None)
    monkeypatch.setattr("envoi.cli.serving.quiet_logs", lambda: None)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    handler = Server()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    with Plain().registered():
        yield handler, port
    controller.stop()


def queued(port: int, name: str = "Main", **fields: Any) -> Transport:
    return make_transport(name, port=port, release=QUEUED, **{"portion": 5, **fields})


def people(number: int) -> list[str]:
    return [f"p{at}@example.net" for at in range(number)]


def called(*words: str) -> int:
    parser = argparse.ArgumentParser()
    send_due.add_arguments(parser)
    return send_due.run(parser.parse_args(list(words)))


def left(mailing: Mailing) -> int:
    return mailing.deliveries.exclude(state=Delivery.State.SENT).count()


def test_each_call_sends_one_portion_until_all_is_sent(
    server: tuple[Server, int], capsys: pytest.CaptureFixture[str]
) -> None:
    handler, port = server
    mailing = make_mailing(*people(12), transport=queued(port))

    assert [called() for _ in range(4)] == [0, 0, 0, 0]

    assert capsys.readouterr().out.splitlines() == [
        "“Main”: 5 sent, more waits.",
        "“Main”: 5 sent, more waits.",
        "“Main”: 2 sent, nothing is left to send.",
        "“Main”: 0 sent, nothing is left to send.",
    ]
    assert sorted(handler.received) == sorted(people(12))
    assert Mailing.objects.get(pk=mailing.pk).state == Mailing.State.FINISHED


def test_a_run_that_is_not_due_is_only_made_with_now(
    server: tuple[Server, int], capsys: pytest.CaptureFixture[str]
) -> None:
    handler, port = server
    mailing = make_mailing(*people(12), transport=queued(port, portion_minutes=60))
    assert called("--json") == 0
    first = json.loads(capsys.readouterr().out)["runs"][0]
    assert (first["made"], first["sent"], first["waiting"]) == (True, 5, True)

    assert called("--json") == 0
    second = json.loads(capsys.readouterr().out)["runs"][0]
    assert (second["made"], second["sent"], second["next_at"]) == (False, 0, first["next_at"])
    assert second["why"].startswith("“Main” sends in portions; the next one leaves at")
    assert left(mailing) == 7

    assert called("--now", "--json") == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["sent"] == 5
    with clock.set_to(clock.now() + timedelta(minutes=61)):
        assert called("--json") == 0
    assert len(handler.received) == 12


def test_what_is_left_of_a_portion_is_not_for_mail_that_comes_later(server: tuple[Server, int]) -> None:
    _, port = server
    transport = queued(port)
    make_mailing(*people(2), transport=transport)

    assert called() == 0

    assert Pace.objects.get().run_left == 0


def test_two_broadcasts_share_a_portion(server: tuple[Server, int]) -> None:
    handler, port = server
    transport = queued(port, portion=10)
    ada, bob = (make_mailing(*(f"{name}{at}@example.net" for at in range(8)), transport=transport) for name in "ab")

    assert called() == 0

    assert len(handler.received) == 10
    assert left(ada) + left(bob) == 6


def test_a_paused_transport_is_told_and_counts_as_not_done(
    server: tuple[Server, int], capsys: pytest.CaptureFixture[str]
) -> None:
    handler, port = server
    paused = queued(port, "Second", paused_at=clock.now(), paused_reason="535 wrong password")
    make_mailing(*people(2), transport=paused)

    assert called() == 1
    assert capsys.readouterr().out == "“Second”: no run. 535 wrong password\n"
    make_mailing("ada@example.org", transport=queued(port, "Main"))
    assert called() == 3
    assert handler.received == ["ada@example.org"]


def test_a_transport_that_refuses_meanwhile_is_told(
    server: tuple[Server, int], capsys: pytest.CaptureFixture[str]
) -> None:
    handler, port = server
    handler.refuses = True
    mailing = make_mailing(*people(2), transport=queued(port))

    assert called("--json") == 1

    [told] = json.loads(capsys.readouterr().out)["runs"]
    assert (told["made"], told["sent"], told["why"]) == (True, 0, "550 5.7.1 You may not")
    assert left(mailing) == 2


def test_immediate_transports_are_left_alone(server: tuple[Server, int], capsys: pytest.CaptureFixture[str]) -> None:
    handler, port = server
    make_mailing(*people(2), transport=make_transport(port=port))

    assert called() == 0

    assert capsys.readouterr().out == "No transport sends in portions. Choose so under Settings, Sending.\n"
    assert handler.received == []


def test_only_the_transports_that_are_named(server: tuple[Server, int], capsys: pytest.CaptureFixture[str]) -> None:
    handler, port = server
    make_mailing("ada@example.org", transport=queued(port, "Main"))
    make_mailing("bob@example.org", transport=queued(port, "Second"))

    assert called("--transport", "second") == 0

    assert handler.received == ["bob@example.org"]
    assert capsys.readouterr().out == "“Second”: 1 sent, nothing is left to send.\n"
    with pytest.raises(Stop, match="no transport “Third” sends in portions; those that do: “Main”, “Second”"):
        called("--transport", "Third")
