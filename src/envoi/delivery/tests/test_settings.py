"""What a change of transports and senders sets going, beside what the console's tests say of the fields."""

from __future__ import annotations

import pytest

from envoi.core import secrets
from envoi.delivery.actions import senders, transports
from envoi.delivery.actions.problems import InUse, SendingRefused
from envoi.delivery.actions.senders import SenderValues
from envoi.delivery.actions.transports import TransportValues
from envoi.delivery.models import Mailing, Route, SenderIdentity, Shift, Transport
from envoi.delivery.queries.sending import sender_over
from envoi.delivery.tests.factories import make_identity, make_mailing, make_transport

pytestmark = pytest.mark.django_db

RELAY = TransportValues(name="Main", kind=Transport.Kind.SMTP, host="SMTP.Lantern.se.", username="envoi", password="x")


@pytest.fixture
def ordered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The mailings for which a turn was ordered."""
    orders: list[int] = []
    monkeypatch.setattr(
        "envoi.delivery.actions.standstill.later", lambda _name, *, mailing_id: orders.append(mailing_id)
    )
    return orders


def test_other_limits_wake_the_mailings_that_wait_for_the_old_ones(ordered: list[int]) -> None:
    own, further, other, over = (make_mailing() for _ in range(4))
    Route.objects.create(identity=further.identity, transport=own.identity.transport)
    Mailing.objects.filter(pk=over.pk).update(state="finished", identity=own.identity)

    transports.change(own.identity.transport, RELAY, actor=None)

    assert sorted(ordered) == [own.pk, further.pk]
    assert other.pk not in ordered


def test_another_transport_of_a_sender_wakes_its_mailings(ordered: list[int]) -> None:
    mailing = make_mailing()
    spare = make_transport("Spare")

    senders.change(mailing.identity, SenderValues("news@lantern.se", spare.pk), actor=None)

    assert ordered == [mailing.pk]
    assert SenderIdentity.objects.get(pk=mailing.identity_id).transport == spare


def test_a_new_transport_keeps_its_password_for_itself() -> None:
    made = transports.add(RELAY, actor=None)

    assert made.host == "smtp.lantern.se"
    assert secrets.decrypt(made.password_encrypted, f"transport:{made.pk}") == "x"
    with pytest.raises(secrets.SecretUnreadable):
        secrets.decrypt(made.password_encrypted, f"transport:{made.pk + 1}")


def test_names_differ_by_more_than_capitals() -> None:
    transports.add(RELAY, actor=None)

    with pytest.raises(SendingRefused) as refused:
        transports.add(TransportValues(name="MAIN", kind="sandbox"), actor=None)

    assert list(refused.value.problems) == ["name"]
    assert Transport.objects.count() == 1


def test_a_transport_over_which_is_being_sent_stays() -> None:
    mailing, spare = make_mailing(), make_transport("Spare")
    Shift.objects.create(worker="w", mailing=mailing, transport=spare, until="2100-01-01T00:00Z")

    with pytest.raises(InUse, match="being sent over it just now"):
        transports.remove(spare, actor=None)

    assert Transport.objects.filter(pk=spare.pk).exists()


def test_a_test_over_a_transport_comes_from_a_sender_that_uses_it() -> None:
    default = SenderIdentity.objects.create(
        from_address="news@lantern.se", transport=make_transport("Main"), is_default=True
    )
    shop = make_identity(make_transport("Shop"))
    spare = make_transport("Spare")
    Route.objects.create(identity=shop, transport=spare)

    assert sender_over(shop.transport) == shop
    assert sender_over(spare) == shop
    assert sender_over(make_transport("Unused")) == default


@pytest.mark.parametrize("routes", [((1, 0), (1, 1)), ((999_999, 1),)])
def test_a_route_is_named_once_and_exists(routes: tuple[tuple[int, int], ...]) -> None:
    transport = make_transport()
    wanted = SenderValues("news@lantern.se", transport.pk, routes=routes)

    with pytest.raises(SendingRefused):
        senders.add(wanted, actor=None)

    assert not SenderIdentity.objects.exists()
