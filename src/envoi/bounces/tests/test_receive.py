"""What a report changes, what it must not change, and what is kept aside."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from envoi.bounces.actions import keep_aside as keeping
from envoi.bounces.actions.keep_aside import forget_old
from envoi.bounces.actions.receive import MOST_REPORTS, Effect, Received, receive
from envoi.bounces.models import KeptAside, Report
from envoi.bounces.tests.factories import accepted_mailing, path_of, report, tallied
from envoi.contacts.models import Suppression
from envoi.core import clock, wording
from envoi.delivery.actions.reported import TooEarly
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.queries import log, progress, recount
from envoi.delivery.queries.leases import release
from envoi.delivery.tests.factories import ago, claimed, make_mailing

pytestmark = pytest.mark.django_db

State, Why = Delivery.State, KeptAside.Why
ADA = "ada@example.net"


def sent_to_ada(state: Delivery.State = State.SENT, **fields: Any) -> Delivery:
    return (
        accepted_mailing(ADA, "bob@example.net", state=state, **fields)
        .deliveries.select_related("mailing")
        .get(address=ADA)
    )


def arrives(row: Delivery, **said: Any) -> Received:
    """A report about `row` comes to its return path."""
    got = receive(report(**said), sent_to=[path_of(row)])
    row.refresh_from_db()
    return got


def nothing_happened(mailing: Mailing) -> bool:
    states = set(mailing.deliveries.values_list("state", flat=True))
    return (states, tallied(mailing), Suppression.objects.count(), Report.objects.count()) == (
        {State.SENT}, {"sent": 2}, 0, 0
    )  # fmt: skip


def test_a_message_that_was_sent_comes_back_and_the_log_has_the_servers_words() -> None:
    ada = sent_to_ada()

    assert arrives(ada) == Received(Effect.CHANGED, State.BOUNCED)

    assert (ada.state, ada.reply_code, ada.reply_status) == (State.BOUNCED, 550, "5.1.1")
    assert ada.reply_text == "<ada@example.net>: No such user here"
    assert wording.said(ada.detail) == "The mail server had accepted it, and it came back."
    assert tallied(ada.mailing) == {"bounced": 1, "sent": 1}
    assert recount(ada.mailing) == 0
    now = progress(ada.mailing)
    assert (now.sent, now.bounced, now.failed, now.left) == (1, 1, 0, 0)
    assert [row.address for row in log(ada.mailing, state="bounced")] == [ADA]
    assert KeptAside.objects.count() == 0


def test_an_address_that_does_not_exist_is_never_written_to_again() -> None:
    arrives(sent_to_ada())
    assert list(Suppression.objects.values_list("address_key", "reason", "source")) == [
        (ADA, Suppression.Reason.HARD_BOUNCE, "550 5.1.1 <ada@example.net>: No such user here")
    ]


@pytest.mark.parametrize(
    "said",
    [
        {"status": "5.2.2", "said": "smtp; 552 5.2.2 Mailbox full"},
        {"status": "5.7.1", "said": "smtp; 550 5.7.1 Blocked"},
        {"status": "4.4.1", "said": "X-Postfix; connect: timed out"},
        # Beyond her forward somebody else is gone.
        {"final": "old@example.com"},
    ],
)
def test_other_failures_leave_the_address_as_it_is(said: dict[str, str]) -> None:
    ada = sent_to_ada()
    assert arrives(ada, **said).state == State.BOUNCED
    assert Suppression.objects.count() == 0


@pytest.mark.parametrize("state", [State.UNKNOWN, State.DEFERRED])
@pytest.mark.parametrize(
    ("action", "status", "after"),
    [
        ("delivered", "2.0.0", State.SENT),
        ("relayed", "2.0.0", State.SENT),
        ("expanded", "2.0.0", State.SENT),
        ("delayed", "4.4.1", State.SENT),
        ("failed", "5.1.1", State.BOUNCED),
    ],
)
def test_a_report_ends_the_doubt(state: Delivery.State, action: str, status: str, after: Delivery.State) -> None:
    ada = sent_to_ada(state, retry_at=ago(hours=-3), doubt_worker="w1", doubt_lease=7)
    assert arrives(ada, action=action, status=status) == Received(Effect.CHANGED, after)
    assert (ada.state, ada.retry_at, ada.doubt_worker, ada.doubt_lease) == (after, None, "", None)
    assert tallied(ada.mailing) == {str(state): 1, str(after): 1}


def test_a_delay_is_noted_and_the_message_stays_sent() -> None:
    ada = sent_to_ada(reply_code=250, reply_text="Queued")
    assert arrives(ada, action="delayed", status="4.4.1", said="smtp; 421 4.4.1 Busy").effect == Effect.NOTHING_NEW
    assert (ada.state, ada.reply_code, ada.reply_text) == (State.SENT, 250, "Queued")
    assert wording.said(ada.detail) == (
        "A mail server on the way could not hand it on yet and goes on trying: 421 4.4.1 Busy"
    )
    assert tallied(ada.mailing) == {"sent": 2}
    assert arrives(ada).state == State.BOUNCED


@pytest.mark.parametrize("state", [State.BOUNCED, State.FAILED, State.SKIPPED])
@pytest.mark.parametrize("action", ["delivered", "delayed", "failed"])
def test_what_is_over_stays_as_it_is(state: Delivery.State, action: str) -> None:
    ada = sent_to_ada(state, detail="Before")
    before = tallied(ada.mailing)
    assert arrives(ada, action=action).effect == Effect.NOTHING_NEW
    assert (ada.state, ada.detail) == (state, "Before")
    assert tallied(ada.mailing) == before
    assert Suppression.objects.count() == 0


@pytest.mark.parametrize("first", [State.SENT, *Delivery.OPEN, State.UNKNOWN, State.FAILED, State.SKIPPED])
def test_in_any_order_a_message_never_comes_back_from_having_bounced(first: Delivery.State) -> None:
    orders = list(product(["delivered", "delayed", "failed"], repeat=3))
    mailing = accepted_mailing(*(f"p{number}@example.net" for number in range(len(orders))), state=first)
    for row, order in zip(mailing.deliveries.all(), orders, strict=True):
        seen = []
        for action in order:
            arrives(row, action=action)
            seen.append(row.state)
        if first in (State.FAILED, State.SKIPPED):
            assert seen == [first] * 3
        else:
            come_back = order.index("failed") if "failed" in order else 3
            assert seen == [State.SENT] * come_back + [State.BOUNCED] * (3 - come_back)
    assert tallied(mailing) == Counter(mailing.deliveries.values_list("state", flat=True))


def test_a_row_that_a_worker_holds_waits_for_the_worker() -> None:
    mailing = make_mailing(ADA)
    held = claimed(mailing, "w1", 1)
    ada = mailing.deliveries.get()
    with pytest.raises(TooEarly):
        arrives(ada)
    assert Report.objects.count() == 0
    release(held, ada.pk)
    # Given back unsent, or the ledger was restored: whoever reports on it knows better.
    assert arrives(ada).state == State.BOUNCED
    assert tallied(mailing) == {"bounced": 1}


@pytest.mark.fault("F39")
def test_f39_the_same_report_a_thousand_times_is_one_event() -> None:
    ada = sent_to_ada()
    effects = [arrives(ada).effect for _ in range(1000)]
    assert effects == [Effect.CHANGED, *[Effect.NOTHING_NEW] * 999]
    assert tallied(ada.mailing) == {"bounced": 1, "sent": 1}
    assert (Report.objects.count(), Suppression.objects.count(), KeptAside.objects.count()) == (1, 1, 0)


@pytest.mark.fault("F39")
def test_f39_a_report_that_leaves_no_state_is_one_event_too() -> None:
    ada = sent_to_ada()
    for _ in range(50):
        arrives(ada, action="delayed", status="4.4.1")
    assert list(Report.objects.values_list("delivery", "action", "status")) == [(ada.pk, "delayed", "4.4.1")]


@pytest.mark.fault("F39")
def test_f39_whoever_knows_a_return_path_cannot_fill_the_table() -> None:
    ada = sent_to_ada()
    for number in range(MOST_REPORTS + 30):
        arrives(ada, action="delayed", status=f"4.{number}.0")
    assert Report.objects.count() == MOST_REPORTS


@pytest.mark.parametrize(
    ("spoiled", "why"),
    [
        (lambda path: path.replace("bounces+", "news+"), Why.NOT_OURS),
        (lambda path: "mailer@example.org", Why.NOT_OURS),
        (lambda path: "", Why.NOT_OURS),
        (lambda path: path.replace("@", "0@"), Why.FORGED),
        (lambda path: path[:20] + ("0" if path[20] != "0" else "1") + path[21:], Why.FORGED),
        (lambda path: "bounces+" + "f" * 30 + "@example.org", Why.FORGED),
        (lambda path: "bounces+@example.org", Why.FORGED),
    ],
)
@pytest.mark.fault("F39")
def test_f39_without_the_right_token_nothing_has_an_effect(spoiled: Any, why: KeptAside.Why) -> None:
    ada = sent_to_ada()
    assert receive(report(), sent_to=[spoiled(path_of(ada))]) == Received(Effect.KEPT_ASIDE, why=why)
    assert nothing_happened(ada.mailing)
    kept = KeptAside.objects.get()
    assert (kept.why, kept.sender, kept.times) == (why, "MAILER-DAEMON@relay.test", 1)
    assert kept.subject == "Undelivered Mail Returned to Sender"


@pytest.mark.fault("F39")
def test_f39_the_token_of_bob_says_nothing_of_ada() -> None:
    ada = sent_to_ada()
    bob = ada.mailing.deliveries.get(address="bob@example.net")
    receive(report(ADA), sent_to=[path_of(bob)])
    states = dict(ada.mailing.deliveries.values_list("address", "state"))
    assert states == {ADA: State.SENT, "bob@example.net": State.BOUNCED}
    assert Suppression.objects.count() == 0


@pytest.mark.fault("F39")
def test_f39_a_delivery_that_is_gone_is_kept_aside() -> None:
    ada = sent_to_ada()
    path = path_of(ada)
    ada.delete()
    assert receive(report(), sent_to=[path]) == Received(Effect.KEPT_ASIDE, why=Why.GONE)
    assert Report.objects.count() == 0


def test_the_head_tells_the_return_path_where_the_envelope_does_not() -> None:
    ada = sent_to_ada()
    assert receive(report(sent_to=path_of(ada).upper()), sent_to=["", "envoi@localhost"]).state == State.BOUNCED


@pytest.mark.parametrize(
    ("message", "got"),
    [
        (b"From: ada@example.net\nAuto-Submitted: auto-replied\n\nBack on Monday.", Received(Effect.IGNORED)),
        (b"From: ada@example.net\n\nPlease stop.", Received(Effect.KEPT_ASIDE, why=Why.NO_REPORT)),
        (
            b"From: fbl@example.net\nContent-Type: multipart/report; boundary=x\n\n--x\n"
            b"Content-Type: message/feedback-report\n\nFeedback-Type: abuse\n--x--",
            Received(Effect.KEPT_ASIDE, why=Why.COMPLAINT),
        ),
    ],
)
def test_holidays_letters_and_complaints_are_no_bounces(message: bytes, got: Received) -> None:
    ada = sent_to_ada()
    assert receive(message, sent_to=[path_of(ada)]) == got
    assert nothing_happened(ada.mailing)
    assert KeptAside.objects.count() == (got.effect == Effect.KEPT_ASIDE)


def test_what_no_database_would_take_is_kept_aside_all_the_same() -> None:
    message = b"From: e\x00ve@example.com\nDelivered-To: x\x00@example.org\nSubject: a\x00b\n\nBuy!"
    assert receive(message) == Received(Effect.KEPT_ASIDE, why=Why.NOT_OURS)
    assert receive(b"\n", sent_to=["bounces\udcff@example.org"]).why == Why.NOT_OURS
    assert list(KeptAside.objects.order_by("pk").values_list("sender", "sent_to", "subject")) == [
        ("e\ufffdve@example.com", "x\ufffd@example.org", "a b"),
        ("", "bounces\ufffd@example.org", ""),
    ]


def test_what_is_kept_aside_counts_on_is_bounded_and_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST", 5)
    for number in range(9):
        for _ in range(2):
            receive(report(said=f"smtp; 550 {number}"), sent_to=["x@example.org"])
    kept = KeptAside.objects.order_by("pk")
    assert [one.times for one in kept] == [2] * 5
    with clock.set_to(ago(days=-29)):
        assert forget_old() == 0
    with clock.set_to(ago(days=-31)):
        assert forget_old() == 5


def test_a_report_costs_the_same_few_statements(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    ada = sent_to_ada()
    with django_assert_max_num_queries(24):
        arrives(ada)
