"""A relay accepts everything and then sends it all back (F40)."""

from __future__ import annotations

from collections import Counter

import pytest

from envoi.accounts.models import AuditEntry
from envoi.bounces.actions.receive import receive
from envoi.bounces.tests.factories import accepted_mailing, path_of, report, tallied
from envoi.contacts.models import Suppression
from envoi.core import clock, wording
from envoi.delivery.actions import mailing as mailings
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.queries.progress import came_back, failing_share
from envoi.delivery.queries.tallies import add_to_tally
from envoi.delivery.tests.factories import ago

pytestmark = pytest.mark.django_db

State = Delivery.State


def people(number: int) -> list[str]:
    return [f"p{index:05}@example.net" for index in range(number)]


def comes_back(mailing: Mailing, rows: slice, status: str = "5.7.1") -> None:
    for row in mailing.deliveries.order_by("pk")[rows]:
        receive(report(row.address, status=status, said="smtp; 550 Blocked"), sent_to=[path_of(row)])
    mailing.refresh_from_db()


@pytest.mark.fault("F40")
def test_f40_a_mailing_of_which_more_than_a_fifth_comes_back_pauses_and_says_so() -> None:
    mailing = accepted_mailing(*people(1000))
    comes_back(mailing, slice(0, 200))
    assert mailing.state == Mailing.State.RUNNING

    comes_back(mailing, slice(200, 300))

    assert mailing.state == Mailing.State.PAUSED
    assert wording.said(mailing.state_reason) == (
        "Paused by itself: of 1000 messages that the mail server had accepted, 201 came back. See in the log why."
    )
    assert AuditEntry.objects.filter(verb="pause").count() == 1
    assert tallied(mailing) == {"sent": 700, "bounced": 300}
    # Blocked is not dead: nobody is suppressed for what the relay got wrong.
    assert Suppression.objects.count() == 0


@pytest.mark.fault("F40")
def test_f40_only_addresses_that_do_not_exist_are_suppressed() -> None:
    mailing = accepted_mailing(*people(300))
    comes_back(mailing, slice(0, 20))
    comes_back(mailing, slice(20, 45), "5.1.1")
    gone = set(mailing.deliveries.order_by("pk")[20:45].values_list("address_key", flat=True))
    assert set(Suppression.objects.values_list("address_key", flat=True)) == gone


def test_what_had_come_back_before_does_not_pause_it_again_when_a_person_resumes_it() -> None:
    mailing = accepted_mailing(*people(1000))
    comes_back(mailing, slice(0, 300))
    assert mailings.resume(mailing, actor=None)
    # Late ones of messages that were sent before.
    comes_back(mailing, slice(300, 800))
    assert mailing.state == Mailing.State.RUNNING
    assert came_back(mailing) == (0, 0)

    # What is sent from now on counts.
    mailing.tallies.filter(state=State.SENT).delete()
    mailing.deliveries.filter(state=State.SENT).update(state_at=clock.now())
    add_to_tally(mailing, Counter({("sent", ""): 200}))
    assert came_back(mailing) == (0, 200)
    comes_back(mailing, slice(800, 1000))
    assert mailing.state == Mailing.State.PAUSED


def test_a_few_of_a_small_mailing_do_not_pause_it() -> None:
    mailing = accepted_mailing(*people(199))
    comes_back(mailing, slice(0, 199))
    assert mailing.state == Mailing.State.RUNNING


@pytest.mark.parametrize("state", [Mailing.State.FINISHED, Mailing.State.CANCELLED])
def test_what_is_over_is_not_paused(state: Mailing.State) -> None:
    mailing = accepted_mailing(*people(250))
    Mailing.objects.filter(pk=mailing.pk).update(state=state)
    comes_back(mailing, slice(0, 100))
    assert mailing.state == state
    assert tallied(mailing) == {"sent": 150, "bounced": 100}


def test_a_bounce_counts_in_the_minute_in_which_its_message_was_sent() -> None:
    mailing = accepted_mailing(*people(250))
    sent = ago(minutes=10).replace(second=30, microsecond=0)
    mailing.tallies.update(minute=sent.replace(second=0))
    mailing.deliveries.update(state_at=sent)
    with clock.set_to(ago(minutes=-60)):
        comes_back(mailing, slice(0, 40))
    minutes = set(mailing.tallies.values_list("minute", "state", "count"))
    assert minutes == {(sent.replace(second=0), "sent", 210), (sent.replace(second=0), "bounced", 40)}
    # The engine's own error budget sees 250 attempts, none of which its relay refused.
    assert failing_share(mailing, 200) == (0, 250)
