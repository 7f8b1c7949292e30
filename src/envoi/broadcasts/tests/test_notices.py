"""Broadcasts on dashboards, and the e-mail that goes with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from envoi.accounts.models import AuditEntry
from envoi.audiences.models import List, Product
from envoi.broadcasts import readiness
from envoi.broadcasts.actions import draft, show
from envoi.broadcasts.actions.steer import NotSteerable
from envoi.broadcasts.errors import NotReady
from envoi.broadcasts.models import Broadcast
from envoi.broadcasts.tests.factories import make_layout, make_user, targets
from envoi.contacts.models import Contact, Kind
from envoi.core import clock
from envoi.core.tasks.testing import run_due
from envoi.delivery.models import Mailing
from envoi.delivery.queries import progress
from envoi.delivery.tests.factories import make_contact, make_identity, make_list, suppress
from envoi.notices import actions as notices
from envoi.notices.models import Notice
from envoi.notices.tests.factories import subjects

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def make_message(*include: List | Product | Contact, plan: dict[str, Any] | None = None, **content: Any) -> Broadcast:
    """A draft of a message that can be shown."""
    fields = {"subject": "Maintenance tonight", "body": "<p>From ten o'clock on.</p>", **content}
    made = draft.create("notice", actor=None, **fields)
    show.change_plan(made, actor=None, **(plan or {}))
    made.refresh_from_db()
    return draft.change_targets(made, targets(*include), targets(), actor=None)


def make_both(*include: List | Product | Contact, email: str = "unseen", hours: int = 2, **plan: Any) -> Broadcast:
    """A message with an e-mail after it."""
    plan |= {"email": email, "email_after_hours": hours}
    return make_message(*include, plan=plan, identity=make_identity(), layout=make_layout())


@pytest.fixture
def ada() -> Contact:
    return make_contact("ada@example.net", first_name="Ada")


@pytest.fixture
def bob() -> Contact:
    return make_contact("bob@example.net", first_name="Bob")


def test_sending_shows_it_at_once_and_mails_nobody(ada: Contact) -> None:
    suppress("ada@example.net")
    made = make_message(ada, plan={"level": "warning", "link_label": "Read", "link_url": "https://example.org"})
    assert readiness.count(made).will_receive == 1
    notice = show.show(made, actor=make_user(), confirmed=1)
    assert subjects(ada) == ["Maintenance tonight"]
    assert (notice.level, notice.link_url, notice.fixed_at) == ("warning", "https://example.org", None)
    made.refresh_from_db()
    assert (made.status, made.notice_id, made.mailing_id) == ("showing", notice.pk, None)
    assert not Mailing.objects.exists()
    with pytest.raises(draft.NotADraft):
        show.show(made, actor=None)


@pytest.mark.parametrize(
    ("plan", "content", "field"),
    [
        ({}, {"subject": ""}, "subject"),
        ({}, {"body": "<p></p>"}, "body"),
        ({}, {"subject": "Dear {{ contact.first_name }}"}, "subject"),
        ({"ends_at": NOON}, {}, "ends_at"),
        ({"link_label": "Read", "link_url": "javascript:alert(1)"}, {}, "link_url"),
        ({"email": "all"}, {"identity": None}, "identity"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_shown(
    plan: dict[str, Any], content: dict[str, Any], field: str, ada: Contact
) -> None:
    made = make_message(ada, plan=plan, **content)
    with pytest.raises(NotReady) as refused:
        show.show(made, actor=None)
    assert field in [problem.field for problem in refused.value.problems]
    assert not Notice.objects.exists()


def test_the_email_goes_later_to_those_who_have_not_seen_it(ada: Contact, bob: Contact) -> None:
    ada_as_user = make_contact("ada@example.net", Kind.USER)
    made = make_both(make_list("Everybody", ada, bob))
    with clock.set_to(NOON):
        notice = show.show(made, actor=None)
        notices.see([notice.key], ada.pk)
        assert (notices.see([notice.key], ada_as_user.pk), Mailing.objects.count()) == (1, 0)
    with clock.set_to(NOON + timedelta(hours=1, minutes=59)):
        show.tend()
        assert not Mailing.objects.exists()
    with clock.set_to(NOON + timedelta(hours=2)):
        show.tend()
        show.tend()
    mailing = Mailing.objects.get()
    assert sorted(mailing.deliveries.values_list("address", "state", "skip_reason")) == [
        ("ada@example.net", "skipped", "seen_notice"),
        ("bob@example.net", "pending", ""),
    ]
    assert {str(reason): number for reason, number in progress(mailing).skipped.items()} == {"seen_notice": 1}
    made.refresh_from_db()
    assert (made.status, made.mailing_id) == ("showing", mailing.pk)


def test_the_email_to_everybody_goes_at_once(ada: Contact) -> None:
    made = make_both(ada, email="all", link_label="Read", link_url="https://example.org/?a=1&b=2")
    show.show(made, actor=None)
    made.refresh_from_db()
    assert made.mailing is not None
    assert made.mailing.deliveries.get().state == "pending"
    assert 'href="https://example.org/?a=1&amp;b=2"' in made.frozen.source["body"]


def test_the_email_of_a_fixed_audience_leaves_out_who_came_later(ada: Contact, bob: Contact) -> None:
    everybody = make_list("Everybody", ada)
    made = make_both(everybody, fixed=True)
    with clock.set_to(NOON):
        show.show(made, actor=None)
        everybody.subscriptions.create(contact=bob)
    with clock.set_to(NOON + timedelta(hours=3)):
        show.tend()
    rows = Mailing.objects.get().deliveries.values_list("address", "state", "skip_reason")
    assert sorted(rows) == [("ada@example.net", "pending", ""), ("bob@example.net", "skipped", "excluded")]


@pytest.mark.parametrize(("hours", "fine"), [(2, True), (3, False)])
def test_an_email_that_comes_after_the_end_is_pointed_out(hours: int, fine: bool, ada: Contact) -> None:
    starts = clock.now() + timedelta(days=1)
    made = make_both(ada, hours=hours, starts_at=starts, ends_at=starts + timedelta(hours=3))
    checks = {check.label: check for check in readiness.checklist(made, readiness.count(made))}
    found = checks["The e-mail leaves while the message stands"]
    assert (found.ok, found.blocking) == (fine, False)
    assert readiness.problems(made, readiness.count(made)) == []


def test_ending_early_calls_the_email_off(ada: Contact) -> None:
    made = make_both(ada)
    with clock.set_to(NOON):
        show.show(made, actor=None)
        show.end_early(made, actor=None)
        assert subjects(ada) == []
    with clock.set_to(NOON + timedelta(hours=3)):
        show.tend()
    assert not Mailing.objects.exists()
    made.refresh_from_db()
    assert made.status == "finished"
    with pytest.raises(NotSteerable):
        show.end_early(made, actor=None)


def test_withdrawing_takes_it_back_and_stops_the_email(ada: Contact) -> None:
    made = make_both(ada, email="all")
    show.show(made, actor=None)
    show.withdraw(made, actor=None)
    made.refresh_from_db()
    assert (made.status, subjects(ada)) == ("withdrawn", [])
    assert Mailing.objects.get().state == "cancelled"
    with pytest.raises(NotSteerable):
        show.change_shown(made, actor=None, subject="Again")


def test_a_change_is_seen_at_once_and_may_prolong_it(ada: Contact) -> None:
    made = make_message(ada)
    show.show(made, actor=None)
    show.end_early(made, actor=None)
    later = clock.now() + timedelta(days=1)
    show.change_shown(
        made, actor=None, subject="Maintenance tomorrow", body="<p>x<script>y</script></p>", ends_at=later
    )
    made.refresh_from_db()
    assert (made.status, made.subject, made.body) == ("showing", "Maintenance tomorrow", "<p>x</p>")
    assert subjects(ada) == ["Maintenance tomorrow"]


def test_recurring_work_notes_what_has_ended(ada: Contact) -> None:
    with clock.set_to(NOON):
        made = make_message(ada, plan={"ends_at": NOON + timedelta(hours=1)})
        show.show(made, actor=None)
    with clock.set_to(NOON + timedelta(minutes=59)):
        show.tend()
        assert Broadcast.objects.get().status == "showing"
    with clock.set_to(NOON + timedelta(hours=1)):
        show.tend()
    assert Broadcast.objects.get().status == "finished"


def test_a_finished_mailing_leaves_the_message_standing(ada: Contact) -> None:
    made = make_both(ada, email="all")
    show.show(made, actor=None)
    Mailing.objects.get().deliveries.update(state="failed")
    run_due()
    made.refresh_from_db()
    assert made.mailing is not None
    assert made.status == "showing"


def test_a_copy_keeps_the_looks_but_not_the_dates(ada: Contact) -> None:
    made = make_message(ada, plan={"level": "error", "ends_at": clock.now() + timedelta(days=1), "fixed": True})
    copy = draft.duplicate(made, actor=None)
    assert (copy.plan.level, copy.plan.fixed, copy.plan.ends_at) == ("error", True, None)
    assert AuditEntry.objects.filter(verb="broadcast_copy").count() == 1
