"""What dead workers left: what their journals decide, what nobody can know, and what comes too late."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from envoi.core import clock
from envoi.core.wording import said
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.actions.doubts import mark_sent
from envoi.delivery.actions.replay import folder, replay_all
from envoi.delivery.actions.watch import watch
from envoi.delivery.journal import Journal
from envoi.delivery.machine import boot_id
from envoi.delivery.models import Delivery, Lease, Mailing, SenderIdentity, Shift, Transport
from envoi.delivery.queries import roster
from envoi.delivery.queries.results import Result, Settled, settle
from envoi.delivery.smtp import Reply
from envoi.delivery.tests.factories import claimed, make_mailing, offered
from envoi.delivery.tests.reading import states, tallied

pytestmark = pytest.mark.django_db

Row = Delivery.State
TAKEN = Reply(250, "2.0.0", "Taken")
PEOPLE = ("ada", "bob", "chloe", "dmitri", "asa")


@pytest.fixture(autouse=True)
def no_journals() -> Iterator[None]:
    # Those of other tests of this process too: on PostgreSQL what is done lies there for half a minute.
    _empty()
    yield
    _empty()


def _empty() -> None:
    for path in folder().glob("*"):
        path.unlink()


@pytest.fixture
def mailing() -> Mailing:
    return make_mailing(*(f"{name}@example.net" for name in PEOPLE))


def die(mailing: Mailing, worker: str = "host:1", *, window: tuple[str, ...] = ()) -> Journal:
    """A worker that died: Ada answered, Bob refused, Chloé's dot unanswered, Dmitri's not sent, Åsa only leased.

    Its journal keeps the window, if one is named.
    """
    roster.sign_on(worker, mailing, mailing.identity.transport)
    held = claimed(mailing, worker, 10)
    rows = {row.address.partition("@")[0]: row for row in held.rows}
    kept = Journal(folder(), worker, mailing.key, keeps_window=bool(window))
    offered(held, 4)
    if window:
        kept.open_window((rows[name].id, rows[name].epoch) for name in window)
    for name, reply in (("ada", TAKEN), ("bob", Reply(554, "5.6.0", "Content rejected")), ("chloe", None)):
        kept.dot(rows[name].id, rows[name].epoch)
        if reply:
            kept.answer(rows[name].id, rows[name].epoch, reply)
    return kept


def journals() -> int:
    return len(list(folder().glob("*.journal")))


DECIDED = {"ada": "sent", "bob": "failed", "chloe": "unknown", "dmitri": "pending", "asa": "pending"}


def test_the_journal_decides_message_by_message_without_waiting_for_the_lease(mailing: Mailing) -> None:
    die(mailing).close(keep=True)
    assert replay_all() == 1
    assert states(mailing) == DECIDED
    assert tallied(mailing) == {"sent": 1, "failed": 1, "unknown": 1}
    rows = {row.address.partition("@")[0]: row for row in mailing.deliveries.all()}
    assert {name: row.attempts for name, row in rows.items()} == {"ada": 1, "bob": 1, "chloe": 1, "dmitri": 0, "asa": 0}
    assert (rows["ada"].reply_code, rows["ada"].reply_text) == (250, "Taken")
    assert said(rows["chloe"].detail) == (
        "The worker stopped between handing the message over and the answer; it may have arrived."
    )
    assert not Lease.objects.exclude(worker="").exists()
    assert not Shift.objects.exists()
    assert journals() == 0


def test_a_second_replay_changes_nothing(mailing: Mailing) -> None:
    kept = die(mailing)
    data = kept.path.read_bytes()
    kept.close(keep=True)
    replay_all()
    kept.path.write_bytes(data)
    assert replay_all() == 1
    assert states(mailing) == DECIDED
    assert tallied(mailing) == {"sent": 1, "failed": 1, "unknown": 1}


def test_the_journal_of_a_worker_that_lives_is_left_alone(mailing: Mailing) -> None:
    kept = die(mailing)
    assert replay_all() == 0
    assert set(states(mailing).values()) == {"in_doubt", "leased"}
    kept.close(keep=True)


def test_after_a_power_cut_answers_count_and_the_rest_of_the_window_is_unknown(mailing: Mailing) -> None:
    kept = die(mailing)
    kept.path.write_bytes(kept.path.read_bytes().replace(boot_id().encode(), b"another"))
    kept.close(keep=True)
    assert replay_all() == 1
    assert states(mailing) == {**DECIDED, "dmitri": "unknown"}


@pytest.mark.parametrize("named", [("ada", "bob", "chloe"), ("ada", "bob", "chloe", "dmitri")])
def test_where_the_journal_keeps_the_window_a_power_cut_leaves_only_its_rows_in_doubt(
    mailing: Mailing, named: tuple[str, ...]
) -> None:
    kept = die(mailing, window=named)
    kept.path.write_bytes(kept.path.read_bytes().replace(boot_id().encode(), b"another"))
    kept.close(keep=True)
    assert replay_all() == 1
    assert states(mailing) == {**DECIDED, "dmitri": "unknown" if "dmitri" in named else "pending"}


def test_where_the_journal_keeps_the_window_a_killed_worker_leaves_only_dots_in_doubt(mailing: Mailing) -> None:
    die(mailing, window=("ada", "bob", "chloe", "dmitri")).close(keep=True)
    assert replay_all() == 1
    assert states(mailing) == DECIDED


def test_another_machine_concludes_only_what_lease_and_window_say(mailing: Mailing) -> None:
    kept = die(mailing)
    path = kept.path.rename(folder().parent / "elsewhere")
    kept.close(keep=True)
    try:
        watch()
        assert set(states(mailing).values()) == {"in_doubt", "leased"}
        with clock.set_to(clock.now() + timedelta(seconds=61)):
            watch()
        assert states(mailing) == {**dict.fromkeys(PEOPLE, "unknown"), "asa": "pending"}
        assert tallied(mailing) == {"unknown": 4}
    finally:
        path.rename(folder() / "late.journal")
    # The machine comes back, and knows better.
    assert replay_all() == 1
    assert states(mailing) == DECIDED
    assert tallied(mailing) == {"sent": 1, "failed": 1, "unknown": 1}


def test_a_journal_that_comes_back_late_reopens_what_was_finished(mailing: Mailing) -> None:
    kept = die(mailing)
    with clock.set_to(clock.now() + timedelta(seconds=61)):
        watch()
    held = claimed(mailing, "host:2", 10)
    (asa,) = held.rows
    settle(held, [Result(asa.id, Row.SENT)], end=True)
    assert mailings.finish_if_done(mailing)
    kept.close(keep=True)
    replay_all()
    assert states(mailing) == {**DECIDED, "asa": "sent"}
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.RUNNING


def test_a_late_journal_leaves_standing_over_which_transport_a_message_went(mailing: Mailing) -> None:
    kept, carried = die(mailing), mailing.identity.transport_id
    with clock.set_to(clock.now() + timedelta(seconds=61)):
        watch()
    SenderIdentity.objects.update(transport=Transport.objects.create(name="Another"))
    kept.close(keep=True)
    replay_all()
    ada = mailing.deliveries.get(address="ada@example.net")
    assert (ada.state, ada.transport_id) == ("sent", carried)


def test_what_others_decided_meanwhile_stands(mailing: Mailing) -> None:
    kept = die(mailing)
    with clock.set_to(clock.now() + timedelta(seconds=61)):
        watch()
        bob = mailing.deliveries.get(address="bob@example.net").pk
        assert mark_sent(mailing, actor=None, ids=[bob]) == 1
    # Another lease: what the journal says is not about it.
    mailing.deliveries.filter(address="ada@example.net").update(doubt_worker="host:2", doubt_lease=99)
    mailing.deliveries.filter(address="chloe@example.net").update(doubt_lease=99)
    kept.close(keep=True)
    replay_all()
    assert states(mailing) == {**DECIDED, "ada": "unknown", "bob": "sent", "chloe": "pending"}


def test_the_journal_of_another_database_is_kept(mailing: Mailing) -> None:
    kept = die(mailing)
    kept.path.write_bytes(kept.path.read_bytes().replace(mailing.key.encode(), b"elsewhere"))
    kept.close(keep=True)
    assert replay_all() == 0
    assert journals() == 1


def test_a_journal_without_a_whole_first_line_is_thrown_away(mailing: Mailing) -> None:
    kept = Journal(folder(), "host:1", mailing.key)
    kept.path.write_bytes(b"envoi-jour")
    kept.close(keep=True)
    assert replay_all() == 0
    assert journals() == 0
    assert set(states(mailing).values()) == {"pending"}


def test_what_a_worker_left_that_was_killed_while_it_began_a_journal_is_cleared_away_after_an_hour() -> None:
    folder().mkdir(exist_ok=True)
    fresh, old = folder() / "fresh.new", folder() / "old.new"
    for path, age in ((fresh, 60), (old, 4000)):
        path.touch()
        os.utime(path, (time.time() - age,) * 2)
    assert replay_all() == 0
    assert list(folder().iterdir()) == [fresh]


def test_a_worker_cannot_write_under_a_lease_that_is_no_longer_its_own(mailing: Mailing) -> None:
    held = claimed(mailing, "host:1", 5)
    ada = Result(held.rows[0].id, Row.SENT, epoch=held.id)
    assert settle(replace(held, id=held.id + 1), [ada]) == Settled(mine=False)
    assert settle(replace(held, worker="host:2"), [ada]) == Settled(mine=False)
    assert set(states(mailing).values()) == {"leased"}
    assert settle(held, [ada]).written == 1
    assert settle(held, [ada]).written == 0
    assert tallied(mailing) == {"sent": 1}
