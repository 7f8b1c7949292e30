"""Writing, changing, copying and throwing away drafts."""

from __future__ import annotations

import pytest

from envoi.accounts.models import AuditEntry
from envoi.audiences.models import Audience, AudienceMember
from envoi.audiences.queries import Targets, targets_of
from envoi.broadcasts import channels
from envoi.broadcasts.actions import draft
from envoi.broadcasts.models import Broadcast
from envoi.broadcasts.tests.factories import make_draft, make_user, targets
from envoi.delivery.tests.factories import make_contact, make_identity, make_list, make_product

pytestmark = pytest.mark.django_db


def test_a_new_draft_begins_with_the_default_sender_and_belongs_to_who_made_it() -> None:
    bob, sender = make_user(), make_identity()
    sender.is_default = True
    sender.save()
    made = draft.create("email", actor=bob)
    assert (made.status, made.created_by, made.identity, made.mailing) == ("draft", bob, sender, None)
    assert list(AuditEntry.objects.values_list("verb", "actor_label")) == [("broadcast_create", bob.email)]


def test_an_unknown_channel_makes_nothing() -> None:
    with pytest.raises(channels.UnknownChannel, match="pigeon"):
        draft.create("pigeon", actor=None)
    assert not Broadcast.objects.exists()
    assert not Audience.objects.exists()


def test_only_what_differs_is_written_and_recorded() -> None:
    made = make_draft()
    AuditEntry.objects.all().delete()
    changed = draft.change_content(made, actor=None, subject="Other", body=made.body)
    assert changed.subject == "Other"
    assert list(AuditEntry.objects.values_list("verb", "details")) == [("broadcast_change", {"fields": ["subject"]})]
    draft.change_content(changed, actor=None, subject="Other")
    assert AuditEntry.objects.count() == 1


def test_targets_are_lists_products_and_people_on_both_sides() -> None:
    dmitri, bob = make_contact("dmitri@example.org"), make_contact("bob@example.org")
    news, plan = make_list("News"), make_product("Plan")
    made = make_draft(news, plan, dmitri, exclude=(bob,))
    assert targets_of(made.audience) == targets(news, plan, dmitri)
    assert targets_of(made.audience, AudienceMember.Side.EXCLUDE) == Targets(contacts=(bob.pk,))


def test_choosing_the_same_targets_again_changes_nothing() -> None:
    made = make_draft()
    before = targets_of(made.audience), made.changed_at, AuditEntry.objects.count()
    draft.change_targets(made, before[0], Targets(), actor=None)
    made.refresh_from_db()
    assert (targets_of(made.audience), made.changed_at, AuditEntry.objects.count()) == before


def test_a_copy_has_the_content_and_the_targets_but_an_audience_of_its_own() -> None:
    made = make_draft(subject="Åsa's news")
    copy = draft.duplicate(made, actor=None)
    assert (copy.subject, copy.body, copy.layout, copy.status) == ("Åsa's news", made.body, made.layout, "draft")
    assert targets_of(copy.audience) == targets_of(made.audience)
    assert copy.audience_id != made.audience_id


def test_a_deleted_draft_leaves_no_audience_behind_and_is_on_record() -> None:
    made = make_draft(subject="Never mind")
    draft.delete(made, actor=None)
    assert not Broadcast.objects.exists()
    assert not Audience.objects.exists()
    assert AuditEntry.objects.filter(verb="broadcast_delete", subject_label="Never mind").count() == 1


def test_what_has_started_stays_as_it_is() -> None:
    made = make_draft()
    Broadcast.objects.filter(pk=made.pk).update(status=Broadcast.Status.SENDING)
    for change in (
        lambda: draft.change_content(made, actor=None, subject="Too late"),
        lambda: draft.change_targets(made, Targets(), Targets(), actor=None),
        lambda: draft.delete(made, actor=None),
    ):
        with pytest.raises(draft.NotADraft, match="Duplicate it"):
            change()
    made.refresh_from_db()
    assert made.subject == "News for {{ contact.first_name }}"
    assert targets_of(made.audience) != Targets()
