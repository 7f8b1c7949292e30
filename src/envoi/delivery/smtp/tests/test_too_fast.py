"""Which answers ask for less mail, in the words of real servers."""

from __future__ import annotations

import pytest

from envoi.delivery.smtp import Phase, Reply
from envoi.delivery.smtp.too_fast import asks_for_less

RCPT, DOT = Phase.RCPT, Phase.DOT_SENT

FOR_LESS = [
    (DOT, Reply(421, "4.7.0", "[TSS04] Messages from 192.0.2.25 temporarily deferred due to unexpected volume")),
    (DOT, Reply(421, "4.7.28", "Our system has detected an unusual rate of unsolicited mail")),
    (DOT, Reply(451, "4.7.650", "The mail server [192.0.2.25] has been temporarily rate limited")),
    (RCPT, Reply(421, "", "Too many connections, slow down. OFR004_104")),
    (RCPT, Reply(451, "4.3.2", "Please try again later")),
    (RCPT, Reply(452, "4.5.3", "Too many recipients")),
    (RCPT, Reply(450, "4.7.1", "Error: too much mail from 192.0.2.25")),
    (RCPT, Reply(452, "4.3.2", "Connection rate limit exceeded.")),
]
FOR_SOMETHING_ELSE = [
    (Phase.CONNECT, Reply(421, "4.7.0", "Too many connections")),
    (Phase.MAIL, Reply(421, "4.7.0", "slow down")),
    (RCPT, Reply(421, "4.3.2", "System shutting down")),
    (RCPT, Reply(421, "4.4.2", "Connection timed out")),
    (RCPT, Reply(451, "4.7.1", "Greylisting in action, please come back later")),
    (RCPT, Reply(450, "4.2.1", "The user you are trying to contact is receiving mail at a rate that prevents more")),
    (RCPT, Reply(452, "4.2.2", "Mailbox full, too many messages")),
    (RCPT, Reply(452, "4.4.5", "Insufficient disk space; try again later")),
    (RCPT, Reply(450, "4.7.1", "Client host rejected: cannot find your reverse hostname")),
    (DOT, Reply(450, "4.7.26", "SPF check did not pass")),
    (DOT, Reply(550, "5.4.5", "Daily sending rate limit exceeded")),
    (DOT, Reply(250, "2.0.0", "queued at a rate of one")),
]


@pytest.mark.parametrize(("phase", "reply"), FOR_LESS, ids=[str(reply)[:50] for _, reply in FOR_LESS])
def test_a_receiver_asks_for_less(phase: Phase, reply: Reply) -> None:
    assert asks_for_less(reply, phase)


@pytest.mark.parametrize(("phase", "reply"), FOR_SOMETHING_ELSE, ids=[str(r)[:50] for _, r in FOR_SOMETHING_ELSE])
def test_other_answers_ask_for_something_else(phase: Phase, reply: Reply) -> None:
    assert not asks_for_less(reply, phase)
