"""The author of a broadcast chooses whom it comes from and how urgent it is, and sees how it leaves."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from django import forms
from django.test import Client
from django.urls import reverse

from envoi.accounts.models import Role
from envoi.broadcasts.actions.draft import duplicate
from envoi.broadcasts.actions.send import send
from envoi.broadcasts.models import Broadcast
from envoi.broadcasts.tests.factories import make_draft, make_user
from envoi.core import clock
from envoi.delivery.actions.standstill import pause_transport
from envoi.delivery.models import Mailing, Route, SenderIdentity
from envoi.delivery.tests.factories import make_contact, make_list, make_transport

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(make_user(Role.EDITOR))
    return client


@pytest.fixture
def draft() -> Broadcast:
    return make_draft(make_list("News", make_contact("ada@example.net")))


def step(name: str, broadcast: Broadcast) -> str:
    return reverse(f"broadcasts:{name}", kwargs={"pk": broadcast.pk})


def identity_of(broadcast: Broadcast) -> SenderIdentity:
    assert broadcast.identity is not None
    return broadcast.identity


def another_sender() -> SenderIdentity:
    return SenderIdentity.objects.create(from_address="shop@lantern.se", transport=make_transport("Shop"))


def test_with_one_sender_nobody_is_asked(editor: Client, draft: Broadcast) -> None:
    field = editor.get(step("content", draft)).context["form"]["identity"]

    assert isinstance(field.field.widget, forms.HiddenInput)
    assert field.value() == identity_of(draft).pk


def test_with_several_the_author_chooses(editor: Client, draft: Broadcast) -> None:
    shop = another_sender()

    form = editor.get(step("content", draft)).context["form"]
    editor.post(step("content", draft), form.initial | {"layout": "", "identity": shop.pk, "priority": "10"})

    assert isinstance(form["identity"].field.widget, forms.Select)
    draft.refresh_from_db()
    assert (draft.identity, draft.priority) == (shop, Mailing.Priority.HIGH)


def test_a_draft_without_a_sender_is_given_the_only_one(editor: Client, draft: Broadcast) -> None:
    Broadcast.objects.filter(pk=draft.pk).update(identity=None)

    field = editor.get(step("content", draft)).context["form"]["identity"]

    assert isinstance(field.field.widget, forms.HiddenInput)
    assert field.value() == SenderIdentity.objects.get().pk


@pytest.mark.parametrize("given", ["20", "7", "urgent"])
def test_a_broadcast_is_never_as_urgent_as_personal_mail(editor: Client, draft: Broadcast, given: str) -> None:
    form = editor.get(step("content", draft)).context["form"]

    answer = editor.post(step("content", draft), form.initial | {"layout": "", "priority": given})

    assert answer.status_code == 422
    draft.refresh_from_db()
    assert draft.priority == Mailing.Priority.NORMAL


def test_the_priority_goes_with_the_mailing_and_into_a_copy(draft: Broadcast) -> None:
    Broadcast.objects.filter(pk=draft.pk).update(priority=Mailing.Priority.LOW)
    draft.refresh_from_db()

    assert send(draft, actor=None).priority == Mailing.Priority.LOW
    assert duplicate(draft, actor=None).priority == Mailing.Priority.LOW


def test_the_review_says_how_it_leaves(editor: Client, draft: Broadcast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 21, 12, tzinfo=UTC))
    identity = identity_of(draft)
    own = identity.transport
    own.name, own.release, own.portion, own.portion_minutes = "Main", "queued", 500, 10
    own.save()
    night = make_transport("Night", per_second=20, open_from=time(22), open_until=time(6))
    for transport in (night, make_transport("Spare")):
        Route.objects.create(identity=identity, transport=transport)
    pause_transport(own, reason="535 wrong password", actor=None)
    identity.warm_up_from = date(2026, 11, 20)
    identity.save()
    Broadcast.objects.filter(pk=draft.pk).update(priority=Mailing.Priority.HIGH)

    page = editor.get(step("review", draft))

    assert page.context["way"] == [
        "In portions over Main: 500 every 10 minutes.",
        "As soon as possible over Night: 20 a second, 22:00 to 06:00.",
        "As soon as possible over Spare.",
        "“Main” is paused: 535 wrong password",
        "Outside the hours of “Night”; sending goes on at 21 Nov 2026, 22:00.",
        "Warm-up: at most 300 messages today; the rest waits for the next days.",
    ]
    assert "Priority: High" in page.content.decode()
