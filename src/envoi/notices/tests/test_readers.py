"""What a reader may do with a notice, and what the operator learns of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from envoi.accounts.models import AuditEntry
from envoi.contacts.models import Contact, Kind
from envoi.core import clock
from envoi.delivery.tests.factories import make_contact, make_list
from envoi.notices import actions, cleaning, queries
from envoi.notices.models import Notice, Reading
from envoi.notices.queries import Numbers
from envoi.notices.tests.factories import make_notice, subjects

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def ada() -> Contact:
    return make_contact("ada@example.net", first_name="Ada")


@pytest.fixture
def bob() -> Contact:
    return make_contact("bob@example.net", first_name="Bob")


def test_who_dismisses_never_sees_it_again_and_others_do(ada: Contact, bob: Contact) -> None:
    notice = make_notice(make_list("Everybody", ada, bob))
    assert actions.dismiss(notice.key, ada.pk)
    assert actions.dismiss(notice.key, ada.pk)
    assert (subjects(ada), subjects(bob)) == ([], ["Maintenance tonight"])
    actions.change(notice, actor=None, subject="Maintenance tomorrow")
    assert (subjects(ada), subjects(bob)) == ([], ["Maintenance tomorrow"])


def test_a_dismissal_stays_when_the_address_changes_and_counts_for_all_kinds_of_it(ada: Contact) -> None:
    twin = make_contact("ada@example.net", Kind.USER)
    notice = make_notice(make_list("Everybody", ada, twin))
    assert actions.dismiss(notice.key, ada.pk)
    assert (subjects(ada), subjects(twin)) == ([], [])
    Contact.objects.filter(pk=ada.pk).update(address="ada@new.example", address_key="ada@new.example")
    assert subjects(ada) == []
    assert queries.numbers(notice) == Numbers(seen=1, dismissed=1)


def test_the_operator_can_give_a_dismissed_notice_back(ada: Contact) -> None:
    notice = make_notice(ada)
    actions.dismiss(notice.key, ada.pk)
    actions.undo_dismissal(Reading.objects.get(), actor=None)
    assert subjects(ada) == ["Maintenance tonight"]
    assert AuditEntry.objects.filter(verb="notice_undo_dismissal").count() == 1


def test_what_must_be_acknowledged_stays_until_it_is(ada: Contact) -> None:
    notice = make_notice(ada, must_acknowledge=True)
    assert not actions.dismiss(notice.key, ada.pk)
    assert subjects(ada) == ["Maintenance tonight"]
    assert actions.acknowledge(notice.key, ada.pk)
    assert subjects(ada) == []
    assert queries.numbers(notice) == Numbers(seen=1, acknowledged=1)


def test_what_cannot_be_dismissed_is_not(ada: Contact) -> None:
    notice = make_notice(ada, dismissible=False)
    assert not actions.dismiss(notice.key, ada.pk)
    assert not actions.acknowledge(notice.key, ada.pk)
    assert subjects(ada) == ["Maintenance tonight"]


def test_nobody_touches_a_notice_that_is_not_theirs(ada: Contact, bob: Contact) -> None:
    notice, gone = make_notice(ada), make_notice(ada, bob, subject="Gone")
    actions.withdraw(gone, actor=None)
    assert actions.see([notice.key, gone.key, "nonsense"], bob.pk) == 0
    for act in (actions.dismiss, actions.acknowledge, actions.click):
        assert not act(notice.key, bob.pk)
        assert not act(gone.key, bob.pk)
        assert not act("nonsense", bob.pk)
    assert not Reading.objects.exists()


def test_seen_is_written_once_a_day_whatever_the_number_of_looks(ada: Contact) -> None:
    notice = make_notice(ada, starts_at=NOON)
    moments = (NOON, NOON + timedelta(minutes=1), NOON + timedelta(hours=23), NOON + timedelta(hours=25))
    written = []
    for moment in moments:
        with clock.set_to(moment):
            written.append(actions.see([notice.key, notice.key], ada.pk))
    assert written == [1, 0, 0, 1]
    assert list(Reading.objects.values_list("first_seen_at", "last_seen_at")) == [(NOON, NOON + timedelta(hours=25))]


def test_counts_are_of_people_and_clicks_of_clicks(ada: Contact, bob: Contact) -> None:
    chloe = make_contact("chloe@example.net")
    notice = make_notice(make_list("Everybody", ada, bob, chloe))
    for person in (ada, bob, chloe):
        actions.see([notice.key], person.pk)
    for _time in range(3):
        actions.click(notice.key, ada.pk)
    actions.dismiss(notice.key, bob.pk)
    assert queries.numbers(notice) == Numbers(seen=3, dismissed=1, clicked=1, clicks=3)
    assert [row.contact for row in queries.readings(notice, did="clicked")] == [ada]
    assert [row.contact for row in queries.readings(notice, did="neither")] == [chloe]


@pytest.mark.parametrize(
    ("wording", "field"),
    [
        ({"subject": " "}, "subject"),
        ({"body": "<p>&nbsp;</p>"}, "body"),
        ({"level": "pink"}, "level"),
        ({"starts_at": NOON, "ends_at": NOON}, "ends_at"),
        ({"link_label": "Read"}, "link_url"),
        ({"link_label": "Read", "link_url": "javascript:alert(1)"}, "link_url"),
        ({"link_label": "Read", "link_url": "https://exa mple.org"}, "link_url"),
    ],
)
def test_a_notice_that_cannot_be_is_refused_at_its_field(wording: dict[str, str], field: str, ada: Contact) -> None:
    with pytest.raises(actions.NoticeRefused) as refused:
        make_notice(ada, **wording)  # type: ignore[arg-type]
    assert [name for name, _message in refused.value.problems] == [field]
    assert not Notice.objects.exists()


def test_cleaned_content_keeps_words_and_links_only() -> None:
    dirty = '<p onclick="x()">See <a href="https://example.org" target="_top">us</a><img src=x onerror=alert(1)></p>'
    assert cleaning.clean(dirty) == '<p>See <a href="https://example.org" rel="noopener noreferrer">us</a></p>'
    assert cleaning.clean("<a href='javascript:alert(1)'>x</a><script>alert(1)</script><style>p{}</style>") == (
        '<a rel="noopener noreferrer">x</a>'
    )
    assert cleaning.clean("<a href='/account'>x</a>") == '<a rel="noopener noreferrer">x</a>'
