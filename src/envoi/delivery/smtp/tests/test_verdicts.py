"""Whom a refusal concerns, by the words that real servers use."""

from __future__ import annotations

import pytest

from envoi.delivery.smtp import Phase, Refused, Remedy, Reply, SenderRefused
from envoi.delivery.smtp.verdicts import TABLE, judge

RCPT, DOT, MAIL = Phase.RCPT, Phase.DOT_SENT, Phase.MAIL

CASES = [
    (RCPT, Reply(550, "5.1.1", "The email account that you tried to reach does not exist"), None),
    (RCPT, Reply(452, "4.2.2", "The recipient's inbox is out of storage space"), None),
    (RCPT, Reply(550, "", "No such user here"), None),
    (RCPT, Reply(450, "4.2.0", "<ada@example.net>: Recipient address rejected: Greylisted"), None),
    (RCPT, Reply(451, "4.7.1", "Greylisting in action, please come back later"), None),
    (RCPT, Reply(554, "5.7.1", "<ada@example.net>: Recipient address rejected: Access denied"), None),
    (RCPT, Reply(554, "5.7.1", "<ada@example.net>: Relay access denied"), Remedy.PERSON),
    (RCPT, Reply(550, "", "relaying denied"), Remedy.PERSON),
    (RCPT, Reply(550, "5.7.133", "RESOLVER.RST.SenderNotAuthenticatedForGroup"), None),
    (RCPT, Reply(452, "4.3.1", "Insufficient system storage"), Remedy.WAIT),
    (DOT, Reply(550, "5.7.26", "This mail is unauthenticated"), Remedy.PERSON),
    (DOT, Reply(550, "5.7.25", "The IP address sending this message does not have a PTR record"), Remedy.PERSON),
    (DOT, Reply(550, "5.7.29", "This email was sent without a secure (TLS) connection"), Remedy.PERSON),
    (DOT, Reply(421, "4.7.28", "unusual rate of unsolicited mail"), None),
    (RCPT, Reply(421, "4.3.2", "closing"), Remedy.WAIT),
    (MAIL, Reply(421, "4.7.0", "slow down"), Remedy.WAIT),
    (DOT, Reply(450, "4.7.26", "SPF check did not pass"), Remedy.WAIT),
    (DOT, Reply(550, "5.4.5", "Daily user sending limit exceeded"), Remedy.WAIT),
    (DOT, Reply(550, "5.7.515", "Access denied, sending domain does not meet the level"), Remedy.PERSON),
    (DOT, Reply(552, "5.2.3", "Your message exceeded size limits"), None),
    (DOT, Reply(554, "5.6.0", "Message contents rejected"), None),
    (DOT, Reply(451, "4.3.0", "Temporary failure"), None),
    (MAIL, Reply(530, "5.7.0", "Must issue a STARTTLS command first"), Remedy.PERSON),
    (MAIL, Reply(553, "5.7.1", "Sender address rejected: not owned by user ada"), Remedy.PERSON),
    (MAIL, Reply(501, "5.1.7", "Bad sender address syntax"), Remedy.PERSON),
    (MAIL, Reply(452, "4.3.1", "Insufficient system storage"), Remedy.WAIT),
    (MAIL, Reply(550, "", "no"), Remedy.PERSON),
    (Phase.AUTH, Reply(535, "5.7.8", "Username and Password not accepted"), Remedy.PERSON),
    (Phase.AUTH, Reply(454, "4.7.0", "Temporary authentication failure"), Remedy.WAIT),
    (Phase.CONNECT, Reply(554, "5.7.1", "Service unavailable; client host blocked"), Remedy.PERSON),
    (Phase.CONNECT, Reply(450, "4.3.2", "try later"), Remedy.WAIT),
]


@pytest.mark.parametrize(("phase", "reply", "remedy"), CASES, ids=[str(reply)[:60] for _, reply, _ in CASES])
def test_a_refusal_concerns_whom_it_should(phase: Phase, reply: Reply, remedy: Remedy | None) -> None:
    expected = Refused(reply, phase) if remedy is None else SenderRefused(reply, phase, remedy)

    assert judge(reply, phase) == expected


def test_every_row_of_the_table_names_its_source() -> None:
    assert all(len(row.source) > 10 for row in TABLE)
