"""Lists that were made for something which then failed."""

from __future__ import annotations

import pytest

from envoi.accounts.models import AuditEntry
from envoi.audiences.actions import lists
from envoi.audiences.models import Audience, AudienceMember, List
from envoi.contacts.models import Contact

pytestmark = pytest.mark.django_db


def test_a_list_on_which_nobody_came_is_forgotten_and_the_name_is_free_again() -> None:
    made = lists.create("Friends", actor=None)
    assert lists.discard_unused(made, actor=None)
    assert not List.objects.exists()
    assert AuditEntry.objects.filter(verb="list_discard", subject_label="Friends").count() == 1
    lists.create("Friends", actor=None)


def test_a_list_with_somebody_on_it_or_with_a_use_stays() -> None:
    friends, guests = lists.create("Friends", actor=None), lists.create("Guests", actor=None)
    Contact.objects.create(kind="contact", address="ada@example.net", address_key="ada@example.net")
    lists.subscribe(friends, Contact.objects.all())
    AudienceMember.objects.create(audience=Audience.objects.create(), side="include", list=guests)
    assert not lists.discard_unused(friends, actor=None)
    assert not lists.discard_unused(guests, actor=None)
    assert List.objects.count() == 2
    assert not AuditEntry.objects.filter(verb="list_discard").exists()
