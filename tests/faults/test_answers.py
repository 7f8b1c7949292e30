"""What servers do to us, as a real process: nobody is blamed for what is not theirs, nobody gets it twice."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from envoi.core import clock, secrets
from envoi.core.tasks.testing import run_due
from envoi.core.wording import said
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.actions.standstill import resume_transport
from envoi.delivery.actions.watch import watch
from envoi.delivery.models import Mailing, Transport
from envoi.delivery.shifts.work import work
from envoi.delivery.tests.composing import Plain
from envoi.delivery.tests.factories import make_mailing, make_transport, suppress
from tests.faults.server import End, Server, check, serving

pytestmark = pytest.mark.django_db

PEOPLE = [f"{name}@example.net" for name in ("ada", "bob", "chloe", "dmitri", "asa")]


@pytest.fixture(autouse=True)
def plain() -> Iterator[None]:
    with Plain().registered():
        yield


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "accepted"


def mailing_over(server: Server, *people: str, **fields: Any) -> Mailing:
    return make_mailing(*(people or PEOPLE), transport=make_transport(port=server.port, max_connections=2, **fields))


def end_of(mailing: Mailing) -> End:
    tallied: dict[str, int] = {}
    for tally in mailing.tallies.all():
        tallied[tally.state] = tallied.get(tally.state, 0) + tally.count
    transport = Transport.objects.get(pk=mailing.identity.transport_id)
    rows = dict(mailing.deliveries.values_list("address", "state"))
    state = Mailing.objects.values_list("state", flat=True).get(pk=mailing.pk)
    return End(state, said(transport.paused_reason), rows, tallied)


def later_on(mailing: Mailing, server: Server, bound: int = 0, **time: float) -> End:
    """Everything that comes by itself in so much time, and the invariants."""
    with clock.set_to(clock.now() + timedelta(**time)):
        watch()
        run_due()
    end = end_of(mailing)
    check(end, server, bound)
    return end


@pytest.mark.parametrize("at", ["connect", "ehlo", "mail", "rcpt", "data", "message"])
@pytest.mark.fault("F16")
def test_f16_a_server_that_hangs_up_before_the_dot_was_answered_for_sure(ledger: Path, at: str) -> None:
    """At `message` it hung up without having taken it: that is the one case in which only the server knows."""
    with serving(ledger, {"at": at, "do": "drop", "times": 2}) as server:
        mailing = mailing_over(server)
        work(mailing.pk)
        states = set(end_of(mailing).rows.values())
        if at == "message":
            assert "unknown" in states
        else:
            assert states <= {"pending", "deferred", "sent"}
        end = later_on(mailing, server, bound=2 if at == "message" else 0, minutes=10)
        assert end.mailing == "finished"


@pytest.mark.fault("F17")
def test_f17_a_server_that_takes_it_and_hangs_up_leaves_it_unknown_and_it_is_not_sent_again(ledger: Path) -> None:
    with serving(ledger, {"at": "dot", "do": "drop", "for": "ada@"}) as server:
        mailing = mailing_over(server)
        work(mailing.pk)
        assert end_of(mailing).those("unknown") == {"ada@example.net"}
        end = later_on(mailing, server, bound=1, days=5)
        assert (end.mailing, end.states) == ("finished", {"sent": 4, "unknown": 1})
        assert server.accepted["ada@example.net"] == 1


@pytest.mark.fault("F19")
def test_f19_a_refusal_for_now_after_the_dot_is_tried_again(ledger: Path) -> None:
    with serving(ledger, {"at": "message", "do": "451 4.3.0 Queue is busy", "for": "bob@", "times": 2}) as server:
        mailing = mailing_over(server)
        work(mailing.pk)
        assert end_of(mailing).those("deferred") == {"bob@example.net"}
        with clock.set_to(clock.now() + timedelta(minutes=7)):
            run_due()
            watch()
            run_due()
        assert end_of(mailing).those("deferred") == {"bob@example.net"}
        end = later_on(mailing, server, minutes=30)
        assert end.states == {"sent": 5}


@pytest.mark.fault("F20")
def test_f20_a_refusal_for_good_after_the_dot_is_that_recipients(ledger: Path) -> None:
    with serving(ledger, {"at": "message", "do": "554 5.6.0 Not like this", "for": "bob@"}) as server:
        mailing = mailing_over(server)
        work(mailing.pk)
        end = later_on(mailing, server, minutes=1)
        assert end.those("failed") == {"bob@example.net"}
        assert end.mailing == "finished"


@pytest.mark.parametrize("reply", ["550 5.7.1 Refused by policy", "550 5.7.515 Not authenticated"])
@pytest.mark.fault("F20")
def test_f20_a_refusal_of_the_sender_after_the_dot_pauses_and_is_nobodys(ledger: Path, reply: str) -> None:
    with serving(ledger, {"at": "message", "do": reply, "for": "bob@"}) as server:
        mailing = mailing_over(server)
        work(mailing.pk)
        end = end_of(mailing)
        assert (end.rows["bob@example.net"], end.transport) == ("pending", reply)
        assert set(end.rows.values()) == {"pending", "sent"}
        assert "bob@example.net" not in server.accepted


@pytest.mark.parametrize("at", ["answered", "quit"])
@pytest.mark.fault("F22")
def test_f22_a_server_that_hangs_up_after_its_answer_took_it(ledger: Path, at: str) -> None:
    with serving(ledger, {"at": at, "do": "drop"}) as server:
        mailing = mailing_over(server)
        work(mailing.pk)
        assert later_on(mailing, server, minutes=10).states == {"sent": 5}


@pytest.mark.parametrize(
    ("at", "after"), [("connect", 0), ("mail", 3), ("message", 2)], ids=["banner", "mid-session", "after the dot"]
)
@pytest.mark.fault("F23")
def test_f23_421_blames_nobody(ledger: Path, at: str, after: int) -> None:
    with serving(ledger, {"at": at, "do": "421 4.7.0 Not now", "after": after, "times": 2}) as server:
        mailing = mailing_over(server, *(f"p{number}@example.net" for number in range(20)))
        work(mailing.pk)
        # A message whose envelope was already on the way when the server closed is put off: it was not refused.
        assert set(end_of(mailing).rows.values()) <= {"pending", "deferred", "sent"}
        end = later_on(mailing, server, minutes=7)
        assert (end.states, end.transport) == ({"sent": 20}, "")


@pytest.mark.fault("F24")
def test_f24_greylisted_recipients_get_it_once_at_a_later_try_with_the_same_envelope(ledger: Path) -> None:
    """The server knows sender and recipient from the first try; any other pair would be refused again."""
    with serving(ledger, {"at": "rcpt", "do": "greylist 0"}) as server:
        mailing = mailing_over(server)
        work(mailing.pk)
        assert end_of(mailing).states == {"deferred": 5}
        with clock.set_to(clock.now() + timedelta(minutes=4, seconds=55)):
            watch()
            assert run_due() == 0
        assert later_on(mailing, server, minutes=7).states == {"sent": 5}


@pytest.mark.parametrize(
    ("reply", "state", "pauses"),
    [
        ("452 4.2.2 Mailbox full", "deferred", False),
        ("550 5.1.1 No such user", "failed", False),
        ("550 5.7.515 Access denied, sending domain does not meet the requirements", "pending", True),
        ("550 5.7.26 This mail has been blocked because the sender is unauthenticated", "pending", True),
        ("554 5.7.1 Service unavailable; client host blocked using a blocklist", "pending", True),
    ],
)
@pytest.mark.fault("F25")
def test_f25_each_refusal_concerns_whom_it_concerns(ledger: Path, reply: str, state: str, pauses: bool) -> None:
    with serving(ledger, {"at": "rcpt", "do": reply, "for": "bob@"}) as server:
        mailing = mailing_over(server)
        work(mailing.pk)
        end = end_of(mailing)
        assert end.rows["bob@example.net"] == state
        assert end.transport == (reply if pauses else "")
        assert "bob@example.net" not in server.accepted
        assert set(end.rows.values()) <= {"sent", state}


@pytest.mark.fault("F26")
def test_f26_a_password_that_stops_being_right_pauses_and_costs_nobody_the_message(ledger: Path) -> None:
    rule = {"at": "mail", "do": "530 5.7.0 Authentication required", "after": 10}
    people = [f"p{number}@example.net" for number in range(30)]
    with serving(ledger, rule) as server:
        mailing = mailing_over(server, *people)
        work(mailing.pk)
        end = end_of(mailing)
        assert end.states == {"sent": 10, "pending": 20}
        assert end.transport.startswith("530 5.7.0")
        with clock.set_to(clock.now() + timedelta(days=1)):
            watch()
            assert run_due() == 0
    with serving(ledger, port=server.port) as server:
        assert resume_transport(Transport.objects.get(), actor=None)
        run_due()
        assert later_on(mailing, server, minutes=1).states == {"sent": 30}


@pytest.mark.fault("F26")
def test_f26_a_password_that_is_changed_in_mid_broadcast_pauses_until_a_person_resumes(ledger: Path) -> None:
    people = [f"p{number}@example.net" for number in range(30)]
    with serving(ledger, {"at": "auth", "do": "535 5.7.8 Bad credentials", "after": 3}) as server:
        mailing = mailing_over(server, *people, username="envoi", messages_per_connection=5)
        relay = Transport.objects.get()
        relay.password_encrypted = secrets.encrypt("old", f"transport:{relay.pk}")
        relay.save()
        work(mailing.pk)
        end = end_of(mailing)
        assert end.states == {"sent": 15, "pending": 15}
        assert end.transport.startswith("535 5.7.8")
        with clock.set_to(clock.now() + timedelta(days=1)):
            watch()
            assert run_due() == 0
    with serving(ledger, {"at": "auth", "do": "wait 0"}, port=server.port) as server:
        assert resume_transport(Transport.objects.get(), actor=None)
        run_due()
        end = later_on(mailing, server, minutes=1)
        assert (end.states, server.accepted.total()) == ({"sent": 30}, 30)


@pytest.mark.fault("F27")
def test_f27_without_the_encryption_that_was_asked_for_nothing_leaves(ledger: Path) -> None:
    """Certificates, silence and injected plaintext: `delivery/smtp/tests/test_security.py`."""
    with serving(ledger) as server:
        mailing = mailing_over(server, security=Transport.Security.STARTTLS)
        work(mailing.pk)
        end = end_of(mailing)
        assert end.states == {"pending": 5}
        assert end.transport != ""
        assert server.accepted.total() == 0


@pytest.mark.fault("F30")
def test_f30_with_a_full_disk_nothing_is_sent_that_is_not_written_down(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.posix_fallocate

    def full(file: int, offset: int, size: int) -> None:
        if size > 256:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(file, offset, size)

    people = [f"p{number}@example.net" for number in range(30)]
    with serving(ledger) as server:
        mailing = mailing_over(server, *people)
        monkeypatch.setattr("envoi.delivery.journal.FIRST_ROOM", 256)
        monkeypatch.setattr("envoi.delivery.journal.os.posix_fallocate", full)
        work(mailing.pk)
        monkeypatch.undo()
        end = end_of(mailing)
        assert set(end.rows.values()) == {"sent", "pending"}
        assert end.those("sent") == set(server.accepted)
        assert "No space left on device" in end.transport
        assert later_on(mailing, server, minutes=2).states == {"sent": 30}


@pytest.mark.fault("F30")
def test_f30_a_journal_that_cannot_be_made_pauses_before_anything_is_leased(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with serving(ledger) as server:
        mailing = mailing_over(server)
        monkeypatch.setattr("envoi.delivery.shifts.work.folder", lambda: tmp_path / "file")
        work(mailing.pk)
        monkeypatch.undo()
        end = end_of(mailing)
        assert end.states == {"pending": 5}
        assert end.transport.startswith(f"The journal in {tmp_path / 'file'} cannot be written: ")
        assert later_on(mailing, server, minutes=2).states == {"sent": 5}


@pytest.mark.parametrize("why", ["unsubscribed", "erased"])
@pytest.mark.fault("F34")
def test_f34_whoever_leaves_or_is_erased_while_leased_gets_nothing(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    # As if the second in which it is looked again were over.
    monkeypatch.setattr("envoi.delivery.shifts.shift.LOOK", 0.0)

    class Leaving(Plain):
        def loading(self, batch: Any) -> None:
            suppress("bob@example.net", why)

    with serving(ledger) as server, Leaving().registered():
        mailing = mailing_over(server)
        work(mailing.pk)
        end = end_of(mailing)
        check(end, server, bound=0)
        assert end.those("skipped") == {"bob@example.net"}
        assert mailings.finish_if_done(mailing) is False
