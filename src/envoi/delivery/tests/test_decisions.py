"""What an answer means for the recipient and for the transport."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from envoi.delivery.composers import Leased
from envoi.delivery.models import Delivery
from envoi.delivery.queries.results import Result
from envoi.delivery.shifts.decisions import HORIZON, Decision, Standstill, decide, retry_time
from envoi.delivery.smtp import (
    Accepted,
    Fault,
    FaultKind,
    NotSent,
    Phase,
    Refused,
    Remedy,
    Reply,
    SenderRefused,
    Unknown,
)

Row = Delivery.State
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def row(attempts: int = 0, begun: datetime = NOW) -> Leased:
    return Leased(7, "k", "ada@example.net", "ada@example.net", 1, attempts, begun)


def test_an_accepted_message_is_sent_with_the_servers_words() -> None:
    decision = decide(row(), Accepted(Reply(250, "2.0.0", "queued as 4711")), NOW)
    assert decision == Decision(Result(7, Row.SENT, code=250, status="2.0.0", text="queued as 4711"))


@pytest.mark.parametrize(
    ("code", "status", "phase", "dead"),
    [
        (550, "5.1.1", Phase.RCPT, True),
        (550, "5.1.2", Phase.RCPT, True),
        (556, "5.1.10", Phase.RCPT, True),
        (550, "5.1.1", Phase.DOT_SENT, False),
        (550, "", Phase.RCPT, False),
        (552, "5.2.2", Phase.RCPT, False),
        (554, "5.6.0", Phase.DOT_SENT, False),
    ],
)
@pytest.mark.fault("F29")
def test_a_refusal_for_good_fails_the_recipient(code: int, status: str, phase: Phase, dead: bool) -> None:
    decision = decide(row(), Refused(Reply(code, status, "no"), phase), NOW)
    assert decision == Decision(Result(7, Row.FAILED, code=code, status=status, text="no"), dead_address=dead)


@pytest.mark.parametrize("attempts", range(12))
@pytest.mark.fault("F24")
def test_the_wait_grows_up_to_four_hours_and_is_spread(attempts: int) -> None:
    wait = retry_time(attempts, NOW) - NOW
    expected = min(timedelta(minutes=5) * 2**attempts, timedelta(hours=4))
    assert expected <= wait <= expected * 1.2


@pytest.mark.fault("F29")
def test_a_domain_whose_name_server_is_away_is_tried_again() -> None:
    decision = decide(row(), Refused(Reply(450, "4.4.3", "Host or domain name not found, try again"), Phase.RCPT), NOW)
    assert (decision.result.state, decision.dead_address, decision.standstill) == (Row.DEFERRED, False, None)


def test_a_refusal_for_now_defers_until_the_horizon_and_then_fails() -> None:
    refused = Refused(Reply(450, "4.2.0", "later"), Phase.RCPT)
    deferred = decide(row(begun=NOW - HORIZON + timedelta(seconds=1)), refused, NOW).result
    assert (deferred.state, deferred.code, deferred.text) == (Row.DEFERRED, 450, "later")
    assert deferred.retry_at is not None
    failed = decide(row(begun=NOW - HORIZON), refused, NOW).result
    assert (failed.state, failed.retry_at, failed.text) == (Row.FAILED, None, "later")


@pytest.mark.parametrize(
    ("outcome", "standstill"),
    [
        (SenderRefused(Reply(535, "5.7.8", "no"), Phase.AUTH, Remedy.PERSON), Standstill("535 5.7.8 no", None)),
        (
            SenderRefused(Reply(421, "4.7.0", "slow"), Phase.MAIL, Remedy.WAIT),
            Standstill("421 4.7.0 slow", timedelta(minutes=5)),
        ),
        (
            NotSent(Fault(FaultKind.UNREACHABLE, "nobody listens"), Phase.CONNECT),
            Standstill("nobody listens", timedelta(minutes=1)),
        ),
        (NotSent(Fault(FaultKind.TLS_NAME, "wrong name"), Phase.TLS), Standstill("wrong name", None)),
        (NotSent(Fault(FaultKind.WITHHELD, "taken back"), Phase.QUEUED), None),
        (NotSent(Fault(FaultKind.CLOSED, "stopped"), Phase.QUEUED), None),
    ],
)
def test_what_is_not_the_recipients_fault_costs_the_recipient_nothing(
    outcome: SenderRefused | NotSent, standstill: Standstill | None
) -> None:
    assert decide(row(), outcome, NOW) == Decision(Result(7, Row.PENDING, attempted=False), standstill=standstill)


def test_a_connection_that_breaks_before_the_dot_is_tried_again_later() -> None:
    result = decide(row(), NotSent(Fault(FaultKind.DROPPED, "gone"), Phase.BODY), NOW).result
    assert (result.state, result.detail, result.attempted) == (Row.DEFERRED, "gone", True)


def test_silence_after_the_dot_is_unknown_and_stays_so() -> None:
    decision = decide(row(), Unknown(Fault(FaultKind.TIMEOUT, "no answer in time")), NOW)
    assert decision == Decision(Result(7, Row.UNKNOWN, detail="no answer in time", retry_at=NOW + timedelta(hours=72)))
