"""A shift against real servers on loopback: what arrives there, and what the ledger says afterwards."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import OperationalError

from envoi.contacts.models import Suppression
from envoi.core import clock
from envoi.core.tasks.engine import engine
from envoi.core.tasks.testing import run_due
from envoi.core.wording import said
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.actions.dead_addresses import suppress_dead
from envoi.delivery.actions.watch import watch
from envoi.delivery.models import Delivery, Lease, Mailing, Transport
from envoi.delivery.models import Shift as ShiftRow
from envoi.delivery.queries import progress
from envoi.delivery.queries.results import Settled, settle
from envoi.delivery.shifts.shift import Shift
from envoi.delivery.shifts.work import work
from envoi.delivery.tests.composing import Plain
from envoi.delivery.tests.factories import make_mailing, make_transport, suppress
from envoi.delivery.tests.reading import people, states, tallied

pytestmark = pytest.mark.django_db

Row = Delivery.State


class Server:
    """Accepts, unless `answers` has something else for a recipient; takes `patience` seconds for each message."""

    def __init__(self) -> None:
        self.port = 0
        self.patience = 0.0
        self.received: list[str] = []
        self.answers: dict[str, list[str]] = {}

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answers = self.answers.get(address)
        if answers:
            return answers.pop(0) if len(answers) > 1 else answers[0]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Fine"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self.patience)
        self.received += envelope.rcpt_tos
        return f"250 2.0.0 Taken as {len(self.received)}"


@pytest.fixture
def server() -> Iterator[Server]:
    handler = Server()
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        handler.port = found.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=handler.port)
    controller.start()
    yield handler
    controller.stop()


@pytest.fixture
def relay(server: Server) -> Transport:
    return make_transport(port=server.port, max_connections=2)


@pytest.fixture(autouse=True)
def plain() -> Iterator[Plain]:
    with Plain().registered() as composer:
        yield composer


def test_everybody_gets_the_message_once_and_the_mailing_is_finished(server: Server, relay: Transport) -> None:
    mailing = make_mailing(*people(250), transport=relay)
    work(mailing.pk)
    assert sorted(server.received) == people(250)
    assert set(states(mailing).values()) == {"sent"}
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.FINISHED
    assert tallied(mailing) == {"sent": 250}
    row = mailing.deliveries.get(address="p000@example.net")
    assert (row.attempts, row.reply_code, row.reply_status, row.transport) == (1, 250, "2.0.0", relay)
    assert row.reply_text.startswith("Taken as")
    assert row.first_attempt_at is not None
    assert ShiftRow.objects.count() == 0
    assert run_due() == 0


def test_what_the_server_says_of_an_address_stands_in_its_row(server: Server, relay: Transport) -> None:
    server.answers = {
        "bob@example.net": ["550 5.1.1 No such user here"],
        "chloe@example.net": ["552 5.2.2 Mailbox full"],
        "dmitri@example.net": ["450 4.2.0 Greylisted, come back later"],
    }
    mailing = make_mailing("ada@example.net", *server.answers, transport=relay)
    work(mailing.pk)
    assert states(mailing) == {"ada": "sent", "bob": "failed", "chloe": "failed", "dmitri": "deferred"}
    bob = mailing.deliveries.get(address="bob@example.net")
    assert (bob.reply_code, bob.reply_status, bob.reply_text) == (550, "5.1.1", "No such user here")
    dmitri = mailing.deliveries.get(address="dmitri@example.net")
    assert (dmitri.reply_code, dmitri.reply_text) == (450, "Greylisted, come back later")
    assert dmitri.retry_at is not None
    assert timedelta(minutes=3) < dmitri.retry_at - clock.now() < timedelta(minutes=6.1)
    assert server.received == ["ada@example.net"]
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.RUNNING
    assert list(Suppression.objects.values_list("address_key", "reason")) == [("bob@example.net", "hard_bounce")]


def test_a_deferred_recipient_gets_the_message_at_a_later_try(server: Server, relay: Transport) -> None:
    server.answers = {"ada@example.net": ["450 4.2.0 Later"]}
    mailing = make_mailing("ada@example.net", transport=relay)
    work(mailing.pk)
    assert states(mailing) == {"ada": "deferred"}
    first = mailing.deliveries.get().first_attempt_at
    watch()
    assert run_due() == 0
    server.answers = {}
    with clock.set_to(clock.now() + timedelta(minutes=7)):
        watch()
        assert run_due() == 1
    row = mailing.deliveries.get()
    assert (row.state, row.attempts, row.first_attempt_at) == (Row.SENT, 2, first)
    assert server.received == ["ada@example.net"]
    assert tallied(mailing) == {"sent": 1}
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.FINISHED


def test_after_four_days_of_trying_it_is_given_up(server: Server, relay: Transport) -> None:
    server.answers = {"ada@example.net": ["450 4.2.0 Later"]}
    mailing = make_mailing("ada@example.net", transport=relay)
    work(mailing.pk)
    with clock.set_to(clock.now() + timedelta(days=4, minutes=1)):
        work(mailing.pk)
    row = mailing.deliveries.get()
    assert (row.state, row.reply_code, row.reply_text) == (Row.FAILED, 450, "Later")
    assert said(row.detail) == "Given up after 4 days of trying."
    assert Suppression.objects.count() == 0


def test_a_suppression_after_the_freeze_is_honoured(server: Server, relay: Transport) -> None:
    mailing = make_mailing("ada@example.net", "bob@example.net", transport=relay)
    suppress("Bob@example.net", Suppression.Reason.UNSUBSCRIBED)
    work(mailing.pk)
    assert states(mailing) == {"ada": "sent", "bob": "unsubscribed"}
    assert server.received == ["ada@example.net"]
    assert tallied(mailing) == {"sent": 1, "skipped": 1}
    assert mailing.deliveries.get(address="bob@example.net").attempts == 0


def test_somebody_who_leaves_while_the_message_waits_for_a_connection_does_not_get_it(
    server: Server, relay: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    Transport.objects.update(max_connections=1)
    server.patience = 0.05
    mailing = make_mailing(*people(30), transport=relay)
    looks_again = Shift._take_back_hindered

    def leaves_first(self: Shift) -> None:
        if not Suppression.objects.exists():
            assert states(mailing)["p029"] == Row.IN_DOUBT
            suppress("p029@example.net", Suppression.Reason.UNSUBSCRIBED)
        looks_again(self)

    monkeypatch.setattr("envoi.delivery.shifts.shift.LOOK", 0.2)
    monkeypatch.setattr(Shift, "_take_back_hindered", leaves_first)
    work(mailing.pk)
    assert sorted(server.received) == people(29)
    assert Counter(states(mailing).values()) == {"sent": 29, "unsubscribed": 1}
    assert mailing.deliveries.get(address="p029@example.net").attempts == 0


def test_a_worker_whose_lease_is_lost_offers_nothing_more(
    server: Server, relay: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    Transport.objects.update(max_connections=1)
    server.patience = 0.05
    mailing = make_mailing(*people(30), transport=relay)
    renews = Shift._renew

    def loses_first(self: Shift) -> None:
        Lease.objects.filter(mailing=mailing).update(worker="another")
        renews(self)

    monkeypatch.setattr("envoi.delivery.shifts.shift.LOOK", 0.2)
    monkeypatch.setattr("envoi.delivery.shifts.shift.RENEW", 0.2)
    monkeypatch.setattr(Shift, "_renew", loses_first)
    work(mailing.pk)
    sent = len(server.received)
    assert 0 < sent < 30
    written = tallied(mailing)["sent"]
    # What it heard later it may not write: that stays in its journal.
    assert written <= sent
    assert Counter(states(mailing).values()) == {"sent": written, "in_doubt": 30 - written}


def test_a_message_that_cannot_be_rendered_is_skipped_with_the_reason(
    server: Server, relay: Transport, plain: Plain
) -> None:
    plain.problems["bob@example.net"] = "The field “city” is empty."
    mailing = make_mailing("ada@example.net", "bob@example.net", transport=relay)
    work(mailing.pk)
    assert states(mailing) == {"ada": "sent", "bob": "render_error"}
    assert mailing.deliveries.get(address="bob@example.net").detail == "The field “city” is empty."
    assert server.received == ["ada@example.net"]


def test_a_composer_that_breaks_pauses_the_mailing_and_nobody_is_lost(
    server: Server, relay: Transport, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envoi.delivery.shifts.shift.BATCH", 200)
    mailing = make_mailing(*people(250), transport=relay)

    class Breaking(Plain):
        batches = 0

        def loading(self, batch: Any) -> None:
            self.batches += 1
            if self.batches == 2:
                raise ZeroDivisionError("division by zero")

    with Breaking().registered():
        work(mailing.pk)
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.PAUSED
    assert said(mailing.state_reason) == "The messages cannot be composed: division by zero"
    sent = len(server.received)
    assert Counter(states(mailing).values()) == Counter(sent=sent, pending=250 - sent)
    assert [record.getMessage() for record in caplog.records] == [f"Mailing {mailing.pk} cannot be composed"]


def test_a_database_that_is_locked_for_a_while_costs_nobody_the_message_and_no_answer_is_lost(
    server: Server, relay: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailing = make_mailing(*people(150), transport=relay)
    troubles = [3]

    def locked(*arguments: Any, **more: Any) -> Settled:
        if server.received and troubles[0]:
            troubles[0] -= 1
            raise OperationalError("database is locked")
        return settle(*arguments, **more)

    monkeypatch.setattr("envoi.delivery.shifts.shift.TROUBLE", 0.01)
    monkeypatch.setattr("envoi.delivery.shifts.shift.settle", locked)
    work(mailing.pk)
    assert troubles == [0]
    assert sorted(server.received) == people(150)
    assert tallied(mailing) == {"sent": 150}
    assert set(mailing.deliveries.values_list("state", "attempts")) == {("sent", 1)}


def test_a_dead_address_is_suppressed_though_the_database_was_away_when_the_server_said_so(
    server: Server, relay: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers = {"bob@example.net": ["550 5.1.1 No such user here"]}
    mailing = make_mailing("bob@example.net", transport=relay)
    troubles = [2]

    def away(answers: dict[str, str]) -> int:
        if troubles[0]:
            troubles[0] -= 1
            raise OperationalError("database is locked")
        return suppress_dead(answers)

    monkeypatch.setattr("envoi.delivery.shifts.shift.TROUBLE", 0.01)
    monkeypatch.setattr("envoi.delivery.shifts.answers.suppress_dead", away)
    work(mailing.pk)
    assert troubles == [0]
    assert states(mailing) == {"bob": "failed"}
    assert list(Suppression.objects.values_list("address_key", "reason")) == [("bob@example.net", "hard_bounce")]


def test_a_refusal_of_the_sender_pauses_the_transport_and_costs_nobody_the_message(
    server: Server, relay: Transport
) -> None:
    server.answers = {"ada@example.net": ["550 5.7.515 Access denied, sending domain does not meet the requirements"]}
    mailing = make_mailing("ada@example.net", transport=relay)
    work(mailing.pk)
    assert states(mailing) == {"ada": "pending"}
    assert mailing.deliveries.get().attempts == 0
    relay.refresh_from_db()
    assert relay.paused_at is not None
    assert relay.resume_at is None
    assert "5.7.515" in relay.paused_reason
    assert progress(mailing).waiting_because == relay.paused_reason
    watch()
    assert run_due() == 0
    assert server.received == []


def test_a_relay_that_is_away_is_tried_again_by_itself(server: Server, relay: Transport) -> None:
    port = relay.port
    Transport.objects.update(port=1)
    mailing = make_mailing("ada@example.net", transport=relay)
    work(mailing.pk)
    assert states(mailing) == {"ada": "pending"}
    relay.refresh_from_db()
    assert relay.paused_at is not None
    assert relay.resume_at is not None
    Transport.objects.update(port=port)
    with clock.set_to(clock.now() + timedelta(minutes=2)):
        watch()
        assert run_due() >= 1
    assert states(mailing) == {"ada": "sent"}
    assert Transport.objects.filter(pk=relay.pk, paused_at=None, paused_reason="").exists()


def test_too_many_failures_pause_the_mailing(server: Server, relay: Transport) -> None:
    everybody = people(600)
    server.answers = {address: ["554 5.6.0 Message content rejected"] for address in everybody[::2]}
    mailing = make_mailing(*everybody, transport=relay)
    work(mailing.pk)
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.PAUSED
    assert said(mailing.state_reason).startswith("Paused by itself: ")
    counts = tallied(mailing)
    assert 200 <= counts["sent"] + counts["failed"] <= 400
    assert mailing.deliveries.filter(state=Row.PENDING).count() == 600 - counts["sent"] - counts["failed"]
    assert progress(mailing).waiting_because == said(mailing.state_reason)
    server.answers = {}
    assert mailings.resume(mailing, actor=None)
    run_due()
    assert progress(mailing).left == 0


@pytest.mark.parametrize(("verb", "rest"), [(mailings.pause, "pending"), (mailings.cancel, "cancelled")])
def test_pause_and_cancel_act_within_a_batch(server: Server, relay: Transport, verb: Any, rest: str) -> None:
    Transport.objects.update(per_second=20)
    mailing = make_mailing(*people(100), transport=relay)
    verbs = [verb]

    class Interrupting(Plain):
        def loading(self, batch: Any) -> None:
            while verbs:
                assert verbs.pop()(Mailing.objects.get(pk=mailing.pk), actor=None)

    with Interrupting().registered():
        work(mailing.pk)
    sent = len(server.received)
    assert sent <= 60
    assert sorted(states(mailing).values()) == sorted(["sent"] * sent + [rest] * (100 - sent))
    assert progress(mailing).left == (100 - sent if rest == "pending" else 0)
    assert mailing.deliveries.filter(attempts=1).count() == sent
    assert run_due() == 0
    if rest == "pending":
        assert mailings.resume(Mailing.objects.get(pk=mailing.pk), actor=None)
        Transport.objects.update(per_second=None)
        run_due()
        assert sorted(server.received) == people(100)


def test_a_mailing_resumed_while_its_worker_is_still_stopping_goes_on_at_once(
    server: Server, relay: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailing = make_mailing(*people(150), transport=relay)
    gives_back = Shift.give_back

    def stopping(self: Shift) -> None:
        gives_back(self)
        assert mailings.resume(Mailing.objects.get(pk=mailing.pk), actor=None)

    class Pausing(Plain):
        def loading(self, batch: Any) -> None:
            assert mailings.pause(Mailing.objects.get(pk=mailing.pk), actor=None)

    monkeypatch.setattr("envoi.delivery.shifts.shift.LOOK", 0.0)
    monkeypatch.setattr(Shift, "give_back", stopping)
    with Pausing().registered():
        work(mailing.pk)
    monkeypatch.undo()
    with Plain().registered():
        assert run_due() == 1
    assert sorted(server.received) == people(150)


def test_a_worker_that_is_asked_to_stop_finishes_what_is_on_its_way_and_hands_over(
    server: Server, relay: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.patience = 0.01
    mailing = make_mailing(*people(150), transport=relay)
    monkeypatch.setattr("envoi.core.tasks.ending.stopping", lambda: len(server.received) >= 5)
    work(mailing.pk)
    sent = len(server.received)
    assert 5 <= sent <= 100
    assert Counter(states(mailing).values()) == {"sent": sent, "pending": 150 - sent}
    monkeypatch.undo()
    assert run_due() == 1
    assert sorted(server.received) == people(150)


def test_a_shift_without_a_connection_waits_until_another_closes_some(
    server: Server, relay: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envoi.delivery.shifts.work.PATIENCE", 0.1)
    mailing = make_mailing("ada@example.net", transport=relay)
    until = clock.now() + timedelta(seconds=30)
    other = ShiftRow.objects.create(worker="other", mailing=mailing, transport=relay, until=until, connections=2)
    work(mailing.pk)
    assert states(mailing) == {"ada": "pending"}
    assert server.received == []
    assert ShiftRow.objects.get() == other
    (asked,) = engine().waiting()
    assert asked.name == "delivery.send_shift"
    assert asked.run_after is not None
    assert clock.now() < asked.run_after <= clock.now() + timedelta(seconds=1)
    ShiftRow.objects.update(connections=1)
    work(mailing.pk)
    assert states(mailing) == {"ada": "sent"}


def test_a_shift_hands_over_when_its_time_is_over(server: Server, relay: Transport) -> None:
    mailing = make_mailing(*people(10), transport=relay)
    work(mailing.pk, seconds=0)
    assert set(states(mailing).values()) == {"pending"}
    assert run_due() == 1
    assert sorted(server.received) == people(10)


def test_the_rate_of_the_transport_is_kept(server: Server, relay: Transport) -> None:
    Transport.objects.update(per_second=50)
    mailing = make_mailing(*people(75), transport=relay)
    before = clock.now()
    work(mailing.pk)
    assert len(server.received) == 75
    assert (clock.now() - before).total_seconds() >= 74 / 50


def test_the_statements_of_a_shift_do_not_grow_with_its_recipients(
    server: Server, relay: Transport, django_assert_max_num_queries: Any
) -> None:
    mailing = make_mailing(*people(200), transport=relay)
    with django_assert_max_num_queries(100):
        work(mailing.pk)
    assert len(server.received) == 200
