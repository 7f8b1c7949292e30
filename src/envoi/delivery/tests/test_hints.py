"""Every refusal of a server comes with the remedy that fits it."""

from __future__ import annotations

import pytest

from envoi.delivery.hints import hint
from envoi.delivery.smtp import Phase, Refused, Reply


@pytest.mark.parametrize(
    ("code", "status", "text", "phase", "remedy"),
    [
        (530, "5.7.0", "Must issue a STARTTLS command first", Phase.MAIL, "Choose STARTTLS"),
        (535, "5.7.8", "authentication failed", Phase.AUTH, "did not accept user name and password"),
        (454, "4.7.0", "Temporary authentication failure", Phase.AUTH, "for now only"),
        (550, "5.7.1", "Sender address rejected", Phase.MAIL, "the From address to be one of its own"),
        (554, "5.7.1", "Relay access denied", Phase.RCPT, "does not carry mail for us"),
        (550, "5.1.1", "No such user", Phase.RCPT, "Try another address"),
        (451, "4.3.0", "greylisted", Phase.RCPT, "for now only"),
        (550, "5.7.1", "Looks like spam", Phase.DOT_SENT, "read the message and refused it"),
        (554, "5.7.1", "Blocked", Phase.EHLO, "does not carry mail for us"),
        (421, "4.7.0", "Too many connections", Phase.CONNECT, "refused the connection"),
    ],
)
def test_a_refusal_comes_with_its_remedy(code: int, status: str, text: str, phase: Phase, remedy: str) -> None:
    reply = Reply(code, status, text, f"{code} {status} {text}".encode())
    assert remedy in str(hint(Refused(reply, phase)))
