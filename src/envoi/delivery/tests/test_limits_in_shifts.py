"""Limits from end to end: a shift, a real server on loopback, the ledger."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from datetime import time, timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from envoi.accounts.models import AuditEntry
from envoi.core import clock
from envoi.core.tasks.engine import engine
from envoi.core.tasks.testing import run_due
from envoi.core.wording import said
from envoi.delivery.actions import portions
from envoi.delivery.actions.watch import wake_or_finish, watch
from envoi.delivery.models import Delivery, Mailing, Pace, ProviderLimit, Route, Transport, WarmUpDay
from envoi.delivery.queries import progress
from envoi.delivery.queries.provider_paces import slowed
from envoi.delivery.shifts.work import take_turns, work
from envoi.delivery.tests.composing import Plain
from envoi.delivery.tests.factories import make_mailing, make_transport

pytestmark = pytest.mark.django_db


class Server:
    """Says `answer` to the message for recipients of `refused` domains."""

    def __init__(self) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port: int = found.getsockname()[1]
        self.received: list[str] = []
        self.refused: set[str] = set()
        self.answer = "421 4.7.28 Unusual rate of mail"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if envelope.rcpt_tos[0].rpartition("@")[2] in self.refused:
            return self.answer
        self.received += envelope.rcpt_tos
        return "250 2.0.0 Taken"


@pytest.fixture
def server() -> Iterator[Server]:
    handler = Server()
    controller = Controller(handler, hostname="127.0.0.1", port=handler.port)
    controller.start()
    with Plain().registered():
        yield handler
    controller.stop()


def states(mailing: Mailing) -> dict[str, Counter[str]]:
    """By domain."""
    found: dict[str, Counter[str]] = {}
    for row in mailing.deliveries.all():
        found.setdefault(row.address.rpartition("@")[2], Counter())[row.state] += 1
    return found


def people(number: int, domain: str) -> list[str]:
    return [f"p{at}@{domain}" for at in range(number)]


@pytest.mark.fault("F23")
def test_a_provider_that_asks_for_less_is_slowed_down_and_the_others_get_theirs(server: Server) -> None:
    transport = make_transport(port=server.port)
    server.refused = {"gmail.com", "googlemail.com"}
    mailing = make_mailing(*people(30, "gmail.com"), *people(60, "example.org"), transport=transport)

    work(mailing.pk)

    assert states(mailing) == {"gmail.com": {"deferred": 30}, "example.org": {"sent": 60}}
    transport.refresh_from_db()
    assert transport.paused_at is None
    [google] = slowed(transport)
    assert (google.provider, google.reply) == ("google.com", "421 4.7.28 Unusual rate of mail")
    assert google.per_minute < google.full_per_minute


def test_what_was_put_off_is_sent_when_there_is_room(server: Server) -> None:
    transport = make_transport(port=server.port, minds_providers=True)
    ProviderLimit.objects.create(transport=transport, provider="google.com", per_minute=60)
    mailing = make_mailing(*people(10, "gmail.com"), *people(60, "example.org"), transport=transport)

    work(mailing.pk, 1)

    first = states(mailing)
    assert first["example.org"] == {"sent": 60}
    assert 1 <= first["gmail.com"]["sent"] <= 4
    waiting = mailing.deliveries.filter(state=Delivery.State.DEFERRED)
    assert waiting.count() == 10 - first["gmail.com"]["sent"]
    assert {(attempts, said(detail)) for attempts, detail in waiting.values_list("attempts", "detail")} == {
        (0, "The limit for mail to google.com is reached; its messages follow.")
    }
    # It asked for somebody to come back for them, long before the watchdog would look.
    assert engine().is_waiting("delivery.send_shift", clock.now() + timedelta(seconds=5))
    for minute in range(1, 11):
        with clock.set_to(clock.now() + timedelta(minutes=minute)):
            work(mailing.pk, 1)
    assert states(mailing)["gmail.com"] == {"sent": 10}
    assert Counter(server.received).most_common(1)[0][1] == 1


def test_a_relay_that_refuses_everybody_for_its_rate_is_paused(server: Server) -> None:
    transport = make_transport(port=server.port)
    server.refused = {f"d{at}.example" for at in range(20)}
    mailing = make_mailing(*(f"ada@d{at}.example" for at in range(20)), transport=transport)

    work(mailing.pk)

    transport.refresh_from_db()
    assert transport.paused_reason == "421 4.7.28 Unusual rate of mail"
    assert transport.resume_at is not None
    assert {row.state for row in mailing.deliveries.all()} <= {"deferred", "pending"}


def test_a_portion_leaves_and_the_page_says_when_the_next_one_does(server: Server) -> None:
    transport = make_transport(
        "Main", port=server.port, release=Transport.Release.QUEUED, portion=10, portion_minutes=30
    )
    mailing = make_mailing(*people(25, "example.org"), transport=transport)

    work(mailing.pk)
    work(mailing.pk)

    assert len(server.received) == 10
    assert progress(mailing).waiting_because.startswith("“Main” sends in portions; the next one leaves at ")
    with clock.set_to(clock.now() + timedelta(minutes=30)):
        work(mailing.pk)
        assert len(server.received) == 20
    with clock.set_to(clock.now() + timedelta(minutes=60)):
        work(mailing.pk)
        assert len(server.received) == 25
        assert progress(mailing).state == "finished"


def in_portions(port: int, **fields: Any) -> Transport:
    return make_transport("Main", port=port, release=Transport.Release.QUEUED, portion=10, **fields)


@pytest.mark.parametrize("minutes", [None, 30])
def test_ada_sends_the_next_portion_now_and_the_one_after_when_she_likes(server: Server, minutes: int | None) -> None:
    transport = in_portions(server.port, portion_minutes=minutes)
    mailing = make_mailing(*people(25, "example.org"), transport=transport)
    if minutes:
        work(mailing.pk)
    received = len(server.received)

    for _press in range(2):
        assert portions.send_next(transport, actor=None) == 10
        run_due()
        received = min(25, received + 10)
        assert len(server.received) == received
    if not minutes:
        portions.send_next(transport, actor=None)
        run_due()
    assert progress(mailing).state == "finished"
    with pytest.raises(portions.NotNow, match="Nothing waits"):
        portions.send_next(transport, actor=None)
    assert AuditEntry.objects.filter(verb="send_portion").count() == (2 if minutes else 3)


def test_who_presses_twice_sends_one_portion(server: Server) -> None:
    transport = in_portions(server.port)
    make_mailing(*people(25, "example.org"), transport=transport)
    portions.send_next(transport, actor=None)
    with pytest.raises(portions.NotNow, match="A portion is leaving already"):
        portions.send_next(transport, actor=None)
    run_due()
    assert len(server.received) == 10


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"release": Transport.Release.IMMEDIATE}, "does not send in portions"),
        ({"paused_at": clock.now(), "paused_reason": "535 wrong password"}, "It is paused: 535 wrong password"),
        ({"open_days": "8", "open_from": time(8), "open_until": time(9)}, "has no day on which it sends"),
    ],
)
def test_what_is_in_the_way_is_said_and_nothing_leaves(server: Server, fields: dict[str, Any], words: str) -> None:
    transport = in_portions(server.port)
    Transport.objects.update(**fields)
    make_mailing(*people(5, "example.org"), transport=transport)
    with pytest.raises(portions.NotNow, match=words):
        portions.send_next(transport, actor=None)
    assert not AuditEntry.objects.exists()
    assert engine().waiting() == []


def test_what_is_left_of_a_portion_is_not_for_mail_that_comes_later(server: Server) -> None:
    transport = in_portions(server.port)
    make_mailing(*people(4, "example.org"), transport=transport)
    portions.send_next(transport, actor=None)
    watch()
    assert Pace.objects.get().run_left == 10
    run_due()
    assert Pace.objects.get().run_left == 6
    watch()
    assert Pace.objects.get().run_left == 0
    assert len(server.received) == 4


def test_outside_the_hours_nothing_leaves_and_inside_them_everything(server: Server) -> None:
    now = clock.now()
    opens = (now + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    hours = {"open_from": time(opens.hour), "open_until": time((opens.hour + 1) % 24)}
    mailing = make_mailing(*people(5, "example.org"), transport=make_transport("Main", port=server.port, **hours))

    work(mailing.pk)
    assert server.received == []
    assert progress(mailing).waiting_because.startswith("Outside the hours of “Main”; sending goes on at ")
    with clock.set_to(opens):
        work(mailing.pk)
    assert len(server.received) == 5


def test_a_closed_transport_is_come_back_to_when_it_opens(server: Server) -> None:
    now = clock.now()
    opens = (now + timedelta(hours=2)).replace(minute=0, second=0, microsecond=0)
    hours = {"open_from": time(opens.hour), "open_until": time((opens.hour + 1) % 24)}
    make_mailing(*people(5, "example.org"), transport=make_transport("Main", port=server.port, **hours))

    take_turns(seconds=1)

    assert not engine().is_waiting("delivery.send_shift", opens - timedelta(minutes=1))
    assert engine().is_waiting("delivery.send_shift", opens)
    assert server.received == []


def test_a_warm_up_lets_so_many_leave_each_day(server: Server) -> None:
    mailing = make_mailing(*people(30, "example.org"), transport=make_transport(port=server.port))
    identity, now = mailing.identity, clock.now()
    identity.warm_up_from, identity.warm_up_first = now.date(), 10
    identity.save()

    for day in range(3):
        with clock.set_to(now + timedelta(days=day)):
            work(mailing.pk)

    assert list(WarmUpDay.objects.order_by("day").values_list("count", flat=True)) == [10, 15, 5]
    assert len(server.received) == 30


def test_a_paused_transport_is_replaced_by_the_spare_one(server: Server) -> None:
    away = make_transport("Away", paused_at=clock.now(), paused_reason="535 wrong password")
    spare = make_transport("Spare", port=server.port)
    mailing = make_mailing(*people(5, "example.org"), transport=away)
    Route.objects.create(identity=mailing.identity, transport=spare, weight=0)

    work(mailing.pk)

    assert len(server.received) == 5
    assert set(mailing.deliveries.values_list("transport", flat=True)) == {spare.pk}


def test_a_transport_that_pauses_in_mid_broadcast_is_replaced_in_the_next_turn(server: Server) -> None:
    away = make_transport("Away", port=1)
    spare = make_transport("Spare", port=server.port)
    mailing = make_mailing(*people(5, "example.org"), transport=away)
    Route.objects.create(identity=mailing.identity, transport=spare, weight=0)

    take_turns(seconds=10)

    assert Transport.objects.get(pk=away.pk).paused_at is not None
    assert len(server.received) == 0
    assert engine().is_waiting("delivery.send_shift", clock.now() + timedelta(seconds=2))
    take_turns(seconds=10)
    assert len(server.received) == 5


def test_the_watchdog_wakes_a_mailing_that_has_a_spare_transport(server: Server) -> None:
    away = make_transport("Away", paused_at=clock.now(), paused_reason="535 wrong password")
    mailing = make_mailing(*people(5, "example.org"), transport=away)
    wake_or_finish()
    assert not engine().is_waiting("delivery.send_shift", clock.now())

    Route.objects.create(identity=mailing.identity, transport=make_transport(port=server.port), weight=0)
    wake_or_finish()

    assert engine().is_waiting("delivery.send_shift", clock.now())
