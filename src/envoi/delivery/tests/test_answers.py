"""What a sender learns from answers that come by the handful: also that messages were accepted, where that counts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from envoi.delivery.limits.gate import Gate
from envoi.delivery.models import Mailing, ProviderLimit
from envoi.delivery.shifts.answers import Answers
from envoi.delivery.shifts.batches import Hand
from envoi.delivery.smtp import Accepted, Outcome, Phase, Refused, Reply
from envoi.delivery.tests.factories import claimed, make_mailing, make_transport

pytestmark = pytest.mark.django_db

OK = Accepted(Reply(250, "2.0.0", "ok"))
SLOWER = Refused(Reply(421, "4.7.28", "unusual rate of mail"), Phase.DOT_SENT)
COMPLAINTS = 9


def reader(mailing: Mailing) -> tuple[Answers, Hand, Gate]:
    """A sender that holds all rows of `mailing`."""
    held = claimed(mailing, "one", 100)
    hand, gate = Hand(), Gate(mailing, mailing.identity.transport, "one")
    hand.take(held, held.rows, held.rows)
    return Answers(hand, gate), hand, gate


def complained_about(outcomes: Sequence[Outcome], handful: int) -> bool:
    """Whether the relay itself seems to ask for less, after these answers about as many domains."""
    answers, hand, _ = reader(make_mailing(*(f"p@d{number}.example" for number in range(len(outcomes)))))
    told = [(row, outcome) for (row, _), outcome in zip(hand.ready, outcomes, strict=True)]
    for begin in range(0, len(told), handful):
        answers.read(told[begin : begin + handful])
    return answers.standstill is not None


MANY = [SLOWER] * COMPLAINTS


@pytest.mark.parametrize("handful", [1, 5, 100])
@pytest.mark.parametrize(
    ("outcomes", "is_the_relay"),
    [([*MANY, SLOWER], True), ([*MANY, OK, *MANY], False), ([*MANY, OK, *MANY, SLOWER], True)],
)
def test_one_accepted_message_between_complaints_clears_the_relay(
    outcomes: list[Outcome], is_the_relay: bool, handful: int
) -> None:
    assert complained_about(outcomes, handful) == is_the_relay


def test_an_accepted_message_makes_room_at_a_provider_that_takes_one_at_a_time() -> None:
    transport = make_transport(minds_providers=True)
    ProviderLimit.objects.create(transport=transport, provider="google.com", at_once=1)
    answers, hand, gate = reader(make_mailing("ada@gmail.com", "bob@gmail.com", transport=transport))
    ada, bob = (row for row, _ in hand.ready)

    def may_go() -> list[str]:
        return [row.address for row, _slot in gate.admit([bob], 1).go]

    assert [row.address for row, _slot in gate.admit([ada], 1).go] == ["ada@gmail.com"]
    assert may_go() == []
    answers.read([(ada, OK)])
    assert may_go() == ["bob@gmail.com"]
