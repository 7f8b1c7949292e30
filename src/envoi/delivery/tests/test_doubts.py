"""Messages whose outcome is unknown: what evidence, a person and the rule make of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from envoi.accounts.models import AuditEntry
from envoi.core import clock
from envoi.core.tasks.engine import engine
from envoi.core.wording import said
from envoi.delivery.actions.doubts import mark_sent, reached, send_again, settle_by_rule
from envoi.delivery.models import Delivery, Mailing, Purpose
from envoi.delivery.queries import progress, recount
from envoi.delivery.queries.leases import claim
from envoi.delivery.tests.factories import make_mailing
from envoi.delivery.tests.reading import states, tallied

pytestmark = pytest.mark.django_db

Row = Delivery.State


def in_doubt(purpose: str = Purpose.MARKETING, **fields: object) -> Mailing:
    """A finished mailing: Ada has it, of Bob and Chloé nobody knows."""
    mailing = make_mailing("ada@example.net", "bob@example.net", "chloe@example.net", purpose=purpose)
    now = clock.now()
    mailing.deliveries.update(state=Row.SENT, attempts=1, first_attempt_at=now)
    unknown = mailing.deliveries.exclude(address="ada@example.net")
    unknown.update(state=Row.UNKNOWN, retry_at=now + timedelta(hours=72), doubt_worker="host:1", **fields)
    Mailing.objects.filter(pk=mailing.pk).update(state=Mailing.State.FINISHED)
    mailing.refresh_from_db()
    recount(mailing)
    return mailing


def ids(mailing: Mailing, *names: str) -> list[int]:
    return [mailing.deliveries.get(address=f"{name}@example.net").pk for name in names]


def test_a_person_marks_them_as_sent() -> None:
    mailing = in_doubt()
    assert mark_sent(mailing, actor=None, ids=ids(mailing, "ada", "bob")) == 1
    assert states(mailing) == {"ada": "sent", "bob": "sent", "chloe": "unknown"}
    assert tallied(mailing) == {"sent": 2, "unknown": 1}
    assert said(mailing.deliveries.get(address="bob@example.net").detail) == "A person marked it as sent."
    assert mark_sent(mailing, actor=None) == 1
    assert tallied(mailing) == {"sent": 3}
    assert list(AuditEntry.objects.values_list("verb", flat=True)) == ["mark_sent", "mark_sent"]


def test_a_person_sends_to_them_again_under_the_same_message_id() -> None:
    mailing = in_doubt()
    before = mailing.deliveries.get(address="bob@example.net").message_id
    assert send_again(mailing, actor=None) == 2
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.RUNNING
    assert states(mailing) == {"ada": "sent", "bob": "pending", "chloe": "pending"}
    assert tallied(mailing) == {"sent": 1}
    assert progress(mailing).left == 2
    bob = mailing.deliveries.get(address="bob@example.net")
    assert (bob.message_id, bob.doubt_worker, bob.attempts) == (before, "", 1)
    held = claim(mailing, "host:2", 10)
    assert held is not None
    assert [row.address for row in held.rows] == ["bob@example.net", "chloe@example.net"]
    assert [task.name for task in engine().waiting()] == ["delivery.send_shift"]
    assert send_again(mailing, actor=None) == 0


def test_of_a_cancelled_mailing_nobody_is_sent_to_again() -> None:
    mailing = in_doubt()
    Mailing.objects.update(state=Mailing.State.CANCELLED)
    assert send_again(mailing, actor=None) == 0
    assert tallied(mailing) == {"sent": 1, "unknown": 2}


def test_whoever_opened_the_message_has_got_it() -> None:
    mailing = in_doubt()
    assert reached(ids(mailing, "ada", "chloe")) == 1
    assert states(mailing) == {"ada": "sent", "bob": "unknown", "chloe": "sent"}
    assert tallied(mailing) == {"sent": 2, "unknown": 1}
    assert reached(ids(mailing, "chloe")) == 0


def test_a_broadcasts_doubt_ends_after_three_days_without_sending_again() -> None:
    mailing = in_doubt()
    with clock.set_to(clock.now() + timedelta(hours=71)):
        settle_by_rule()
    assert mailing.deliveries.filter(retry_at=None, state=Row.UNKNOWN).count() == 0
    with clock.set_to(clock.now() + timedelta(hours=73)):
        settle_by_rule()
    rows = mailing.deliveries.filter(state=Row.UNKNOWN)
    assert {(said(detail), *rest) for detail, *rest in rows.values_list("detail", "retry_at", "doubt_worker")} == {
        ("No sign for 72 hours: taken as arrived, and not sent again.", None, "")
    }
    assert rows.count() == 2
    assert tallied(mailing) == {"sent": 1, "unknown": 2}
    assert engine().waiting() == []


def test_transactional_mail_is_tried_once_more() -> None:
    mailing = in_doubt(Purpose.TRANSACTIONAL)
    settle_by_rule()
    assert tallied(mailing) == {"sent": 1, "unknown": 2}
    mailing.deliveries.filter(address="chloe@example.net").update(attempts=2)
    with clock.set_to(clock.now() + timedelta(minutes=11)):
        settle_by_rule()
    assert states(mailing) == {"ada": "sent", "bob": "pending", "chloe": "unknown"}
