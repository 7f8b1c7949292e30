"""What a sender goes by is read anew when it has changed, and only then."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django.asserts import assertNumQueries

from envoi.core import clock
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.models import Mailing, SenderIdentity, Transport
from envoi.delivery.queries.leases import claim
from envoi.delivery.queries.standing import Standing
from envoi.delivery.queries.turns import take
from envoi.delivery.tests.factories import make_mailing, make_transport

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailing() -> Mailing:
    return make_mailing("ada@example.net", "bob@example.net")


def test_whoever_looks_again_and_finds_all_as_it_was_asks_once(mailing: Mailing) -> None:
    standing = Standing(mailing, mailing.identity.transport)
    with assertNumQueries(3):
        found = standing.look()
    with assertNumQueries(1):
        assert standing.look() is found


def test_sending_itself_changes_nothing_that_a_sender_goes_by(mailing: Mailing) -> None:
    standing = Standing(mailing, mailing.identity.transport)
    found = standing.look()
    assert take(found)
    assert claim(mailing, "one", 1) is not None
    assert standing.look() is found


def test_the_operators_word_is_heard_at_the_next_look(mailing: Mailing) -> None:
    standing = Standing(mailing, mailing.identity.transport)
    standing.look()
    mailings.pause(mailing, actor=None)
    assert standing.look().state == Mailing.State.PAUSED


@pytest.mark.parametrize("changed", [{"max_connections": 3}, {"paused_at": clock.now()}, {"per_hour": 7}])
def test_a_change_of_the_transport_is_seen_whether_it_is_the_senders_own_or_another(
    mailing: Mailing, changed: dict[str, Any]
) -> None:
    own, other = mailing.identity.transport, make_transport(name="Another")
    for transport in (own, other):
        standing = Standing(mailing, transport)
        standing.look()
        Transport.objects.filter(pk=transport.pk).update(**changed)
        standing.look()
        assert {name: getattr(transport, name) for name in changed} == changed


def test_another_transport_of_the_sender_identity_is_seen(mailing: Mailing) -> None:
    own, other = mailing.identity.transport, make_transport(name="Another")
    standing = Standing(mailing, own)
    standing.look()
    SenderIdentity.objects.filter(pk=mailing.identity_id).update(transport=other)
    assert standing.look().identity.transport == other


def test_who_is_gone_is_missed(mailing: Mailing) -> None:
    standing = Standing(mailing, mailing.identity.transport)
    standing.look()
    mailing.delete()
    with pytest.raises(Mailing.DoesNotExist):
        standing.look()
