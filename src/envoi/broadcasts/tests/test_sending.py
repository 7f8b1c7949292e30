"""Starting a broadcast: what must hold, what is frozen, and that it happens once."""

from __future__ import annotations

from typing import Any

import pytest

from envoi.broadcasts import readiness
from envoi.broadcasts.actions import draft, steer
from envoi.broadcasts.actions.send import send
from envoi.broadcasts.errors import NotReady
from envoi.broadcasts.models import Broadcast, FrozenContent
from envoi.broadcasts.tests.factories import make_draft, make_user, people
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.tests.factories import make_contact, make_list, suppress
from envoi.tracking.models import TrackedLink

pytestmark = pytest.mark.django_db


def fields_at_fault(broadcast: Broadcast) -> list[tuple[str, str]]:
    return [(one.step, one.field) for one in readiness.problems(broadcast, readiness.count(broadcast))]


def test_sending_freezes_the_people_the_links_and_the_content_at_once() -> None:
    ada, bob = make_contact("ada@example.net"), make_contact("bob@example.net")
    suppress("bob@example.net")
    made = make_draft(make_list("Readers", ada, bob))
    mailing = send(made, actor=make_user(), confirmed=1)
    made.refresh_from_db()
    assert (made.status, made.mailing_id) == ("sending", mailing.pk)
    assert sorted(mailing.deliveries.values_list("address", "state", "skip_reason")) == [
        ("ada@example.net", "pending", ""),
        ("bob@example.net", "skipped", "suppressed"),
    ]
    assert list(TrackedLink.objects.filter(mailing=mailing).values_list("position", "url", "label")) == [
        (0, "https://example.org/news", "Read on")
    ]
    assert FrozenContent.objects.get(broadcast=made).source["body"] == made.body


def test_a_second_send_is_refused_and_nobody_gets_it_twice() -> None:
    made = make_draft()
    send(made, actor=None)
    with pytest.raises(draft.NotADraft):
        send(made, actor=None)
    assert (Mailing.objects.count(), Delivery.objects.count(), FrozenContent.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ({"subject": "  "}, ("content", "subject")),
        ({"body": "<p>&nbsp;</p>"}, ("content", "body")),
        ({"identity": None}, ("content", "identity")),
        ({"subject": "For {{ contact.frist_name }}"}, ("content", "subject")),
        ({"body": "<p>Dear {% if contact.name %}</p>"}, ("content", "body")),
        ({"body": "<p>{% for i in (1..100000000) %}x{% endfor %}</p>"}, ("content", "body")),
    ],
)
def test_what_is_missing_or_wrong_is_named_and_nothing_is_sent(content: dict[str, Any], fault: tuple[str, str]) -> None:
    made = make_draft(**content)
    assert fields_at_fault(made) == [fault]
    with pytest.raises(NotReady):
        send(made, actor=None)
    made.refresh_from_db()
    assert made.status == "draft"
    assert not Mailing.objects.exists()
    assert not FrozenContent.objects.exists()


def test_nobody_to_send_to_is_said_in_two_ways() -> None:
    assert readiness.problems(empty := make_draft(make_list("Empty")), readiness.count(empty))[0].message.startswith(
        "Choose at least one"
    )
    suppress("ada@example.net")
    made = make_draft(make_list("Ada only", make_contact("ada@example.net")))
    assert readiness.problems(made, readiness.count(made))[0].message.startswith("Nobody of the targets")


def test_more_people_than_were_confirmed_stop_the_send() -> None:
    readers = make_list("Readers", *people(3))
    made = make_draft(readers)
    with pytest.raises(NotReady, match="Meanwhile 3 people would get it instead of 2"):
        send(made, actor=None, confirmed=2)
    assert not Mailing.objects.exists()
    send(made, actor=None, confirmed=3)
    assert Delivery.objects.filter(state="pending").count() == 3


def test_pause_resume_and_cancel_are_told_by_the_status() -> None:
    made, bob = make_draft(), make_user()
    send(made, actor=bob)
    made.refresh_from_db()
    steer.pause(made, actor=bob)
    assert made.status == "paused"
    with pytest.raises(steer.NotSteerable, match="not being sent"):
        steer.pause(made, actor=bob)
    steer.resume(made, actor=bob)
    assert made.status == "sending"
    steer.cancel(made, actor=bob)
    assert (made.status, made.finished_at is not None) == ("cancelled", True)
    assert list(Delivery.objects.values_list("state", "skip_reason")) == [("skipped", "cancelled")]
    with pytest.raises(steer.NotSteerable, match="not under way"):
        steer.cancel(made, actor=bob)


def test_a_draft_cannot_be_paused() -> None:
    with pytest.raises(steer.NotSteerable):
        steer.pause(make_draft(), actor=None)


def test_the_broadcast_ends_when_its_mailing_ends() -> None:
    made = make_draft()
    mailing = send(made, actor=None)
    Delivery.objects.update(state=Delivery.State.SENT)
    assert mailings.finish_if_done(mailing)
    made.refresh_from_db()
    assert (made.status, made.finished_at is not None) == ("finished", True)


def test_whom_the_server_refused_is_tried_again_on_demand_and_nobody_else() -> None:
    made = make_draft(make_list("Readers", *people(3)))
    mailing = send(made, actor=None)
    for row, state in zip(mailing.deliveries.order_by("id"), ("sent", "failed", "unknown"), strict=True):
        Delivery.objects.filter(pk=row.pk).update(state=state)
    mailings.finish_if_done(mailing)
    made.refresh_from_db()
    assert steer.retry(made, actor=None, failed=True) == 1
    assert made.status == "sending"
    assert list(mailing.deliveries.order_by("id").values_list("state", flat=True)) == ["sent", "pending", "unknown"]


def test_with_nobody_to_try_again_nothing_changes() -> None:
    made = make_draft()
    mailing = send(made, actor=None)
    Delivery.objects.update(state="sent")
    mailings.finish_if_done(mailing)
    made.refresh_from_db()
    with pytest.raises(steer.NotSteerable, match="nobody"):
        steer.retry(made, actor=None, failed=True)
    made.refresh_from_db()
    assert made.status == "finished"
