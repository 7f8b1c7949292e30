"""The database goes back a little, as when a standby takes over that missed the last moments; the journals did not."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from envoi.core import clock
from envoi.delivery.actions import replay, restored
from envoi.delivery.actions.replay import folder, replay_all
from envoi.delivery.actions.restored import count_on, hold_if_restored
from envoi.delivery.actions.watch import watch
from envoi.delivery.journal import Journal
from envoi.delivery.machine import boot_id
from envoi.delivery.models import Delivery, Lease, LedgerMark, Mailing, Shift
from envoi.delivery.queries.leases import LEASE, claim, wait_again
from envoi.delivery.queries.results import Result, settle
from envoi.delivery.shifts.work import take_turns
from envoi.delivery.smtp import Reply
from envoi.delivery.tests.composing import Plain
from envoi.delivery.tests.factories import claimed, make_mailing, make_transport, offered
from envoi.delivery.tests.mailbox import mailbox
from envoi.delivery.tests.reading import states, tallied
from envoi.delivery.tests.test_replay import PEOPLE, die, journals

pytestmark = [pytest.mark.django_db, pytest.mark.fault("F11")]

KNOWN = {"ada": "sent", "bob": "failed", "chloe": "unknown", "dmitri": "pending", "asa": "pending"}


@pytest.fixture(autouse=True)
def data(tmp_path: Path, settings: Settings) -> None:
    settings.ENVOI_DATA = tmp_path


@pytest.fixture
def mailing() -> Mailing:
    return make_mailing(*(f"{name}@example.net" for name in PEOPLE))


def set_back(mailing: Mailing) -> None:
    """To before anything of it was leased."""
    Lease.objects.all().delete()
    Shift.objects.all().delete()
    mailing.tallies.all().delete()
    Mailing.objects.update(leased_to=0)
    rows = {"state": "pending", "state_at": mailing.created_at, "retry_at": None}
    mailing.deliveries.update(**rows, attempts=0, first_attempt_at=None)


def test_nobody_who_stands_in_a_journal_is_sent_to_again_though_the_lease_is_forgotten(mailing: Mailing) -> None:
    die(mailing).close(keep=True)
    set_back(mailing)
    assert replay_all() == 1
    assert states(mailing) == KNOWN
    assert tallied(mailing) == {"sent": 1, "failed": 1, "unknown": 1}
    assert [row.address for row in claimed(mailing, "host:2", 10).rows] == ["dmitri@example.net", "asa@example.net"]
    assert journals() == 0


def test_a_lease_whose_window_was_further_back_frees_only_those_who_got_nothing(mailing: Mailing) -> None:
    die(mailing).close(keep=True)
    Lease.objects.update(offered_to=mailing.first_id)
    assert replay_all() == 1
    assert states(mailing) == KNOWN
    assert tallied(mailing) == {"sent": 1, "failed": 1, "unknown": 1}
    assert [row.address for row in claimed(mailing, "host:2", 10).rows] == ["dmitri@example.net", "asa@example.net"]


def test_what_had_been_settled_and_is_forgotten_is_settled_again(mailing: Mailing) -> None:
    kept = die(mailing)
    lease = Lease.objects.get()
    kept.close(keep=True)
    saved = kept.path.read_bytes()
    replay_all()
    kept.path.write_bytes(saved)
    set_back(mailing)
    Lease.objects.bulk_create([lease])
    assert replay_all() == 1
    assert states(mailing) == KNOWN
    assert tallied(mailing) == {"sent": 1, "failed": 1, "unknown": 1}


def test_somebody_else_who_took_the_rows_meanwhile_writes_nothing_over_it(mailing: Mailing) -> None:
    die(mailing).close(keep=True)
    set_back(mailing)
    held = claimed(mailing, "host:2", 10)
    offered(held, 1)
    assert replay_all() == 1
    written = settle(held, [Result(held.rows[0].id, Delivery.State.DEFERRED, retry_at=clock.now())])
    assert (written.mine, written.written) == (True, 0)
    assert {name: state for name, state in states(mailing).items() if name in ("ada", "bob", "chloe")} == {
        "ada": "sent",
        "bob": "failed",
        "chloe": "unknown",
    }
    assert tallied(mailing) == {"sent": 1, "failed": 1, "unknown": 1}


def test_whoever_was_put_off_before_the_journal_began_is_reminded_of_too(mailing: Mailing) -> None:
    with clock.set_to(clock.now() - timedelta(hours=1)):
        mailing.deliveries.update(state="unknown", state_at=clock.now(), retry_at=clock.now())
        wait_again(mailing, Delivery.State.UNKNOWN)
        mailing.deliveries.filter(address__startswith="ada").update(state="deferred")
    mailing.tallies.all().delete()
    kept = Journal(folder(), "host:1", mailing.key)
    ada, bob = mailing.deliveries.order_by("pk")[:2]
    for row in (ada, bob):
        kept.dot(row.pk, 7)
    kept.close(keep=True)
    replay_all()
    assert states(mailing) == {**dict.fromkeys(PEOPLE, "pending"), "ada": "unknown", "bob": "unknown"}
    assert tallied(mailing) == {"unknown": 2, "deferred": -1}


def test_what_a_person_decided_after_the_journal_began_stands(mailing: Mailing) -> None:
    die(mailing).close(keep=True)
    set_back(mailing)
    with clock.set_to(clock.now() + timedelta(minutes=1)):
        mailing.deliveries.update(state="unknown", retry_at=clock.now())
        wait_again(mailing, Delivery.State.UNKNOWN)
        replay_all()
    assert set(states(mailing).values()) == {"pending"}
    assert claim(mailing, "host:2", 10) is not None


@pytest.mark.parametrize("boot", [boot_id(), "another"], ids=["a crash", "a power cut"])
def test_who_waits_because_the_server_refused_the_sender_was_not_forgotten(mailing: Mailing, boot: str) -> None:
    kept = Journal(folder(), "host:1", mailing.key)
    kept.path.write_bytes(kept.path.read_bytes().replace(boot_id().encode(), boot.encode()))
    ada = mailing.deliveries.order_by("pk")[0]
    kept.dot(ada.pk, 7)
    kept.answer(ada.pk, 7, Reply(421, "4.3.2", "Closing down"))
    kept.close(keep=True)
    assert replay_all() == 1
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.RUNNING
    assert set(states(mailing).values()) == {"pending"}
    assert journals() == 0


def test_when_the_end_of_the_journal_is_lost_as_well_a_person_decides(mailing: Mailing) -> None:
    kept = die(mailing)
    kept.path.write_bytes(kept.path.read_bytes().replace(boot_id().encode(), b"another"))
    kept.close(keep=True)
    set_back(mailing)
    replay_all()
    assert states(mailing) == KNOWN
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.PAUSED


def test_a_journal_stays_until_it_is_certain_that_the_database_keeps_what_it_says(mailing: Mailing) -> None:
    assert count_on()
    LedgerMark.objects.update(number=0)
    die(mailing).close(keep=True)
    # The database went back: this holds the mailing, and leaves the journal for the next look.
    assert replay_all() == 1
    mailing.refresh_from_db()
    assert (mailing.state, journals()) == ("paused", 1)
    assert replay_all() == 1
    assert journals() == 0
    assert states(mailing) == KNOWN


def test_after_another_server_took_over_nothing_begins_until_all_journals_are_in(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restored, "timeline", lambda: "00000001")
    assert count_on()
    assert not hold_if_restored()
    monkeypatch.setattr(restored, "timeline", lambda: "00000002")
    now = clock.now()
    with mailbox() as server, Plain().registered():
        Mailing.objects.update(priority=0)
        other = make_mailing("dmitri@example.org", transport=make_transport(port=server.port))
        with clock.set_to(now):
            take_turns()
            die(mailing).close(keep=True)
            set_back(mailing)
        with clock.set_to(now + LEASE - timedelta(seconds=1)):
            watch()
            take_turns()
            assert not count_on()
        assert states(mailing) == KNOWN
        # The other server may be gone as suddenly as it came: what is known is kept.
        assert (server.messages, journals()) == ([], 1)
        assert set(Mailing.objects.values_list("state", flat=True)) == {"running"}
        with clock.set_to(now + LEASE + timedelta(seconds=1)):
            watch()
            assert journals() == 0
            Mailing.objects.filter(pk=mailing.pk).update(state="paused")
            take_turns()
    assert states(other) == {"dmitri": "sent"}
    assert states(mailing) == KNOWN


def test_a_journal_that_was_put_aside_is_read_again_when_another_server_takes_over_and_else_goes(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "goes_aside", lambda: True)
    monkeypatch.setattr(restored, "timeline", lambda: "00000001")
    assert count_on()
    die(mailing).close(keep=True)
    assert (replay_all(), replay_all()) == (1, 0)
    assert [path.suffix for path in folder().iterdir()] == [".done"]
    set_back(mailing)
    monkeypatch.setattr(restored, "timeline", lambda: "00000002")
    assert replay_all() == 1
    assert states(mailing) == KNOWN
    with clock.set_to(clock.now() + LEASE + timedelta(seconds=1)):
        assert (replay_all(), replay_all()) == (1, 0)
        (aside,) = folder().iterdir()
        os.utime(aside, (time.time() - 31,) * 2)
        assert replay_all() == 0
    assert list(folder().iterdir()) == []
    assert LedgerMark.objects.get().number == 2
