"""Signed broadcasts leave through a real Postfix; dkimpy reads in the maildir what a receiver would get."""

from __future__ import annotations

import pytest

from envoi.broadcasts.actions.send import send
from envoi.broadcasts.actions.try_out import send_test
from envoi.broadcasts.tests.factories import make_draft
from envoi.core.tasks.testing import run_due
from envoi.delivery.actions import signing
from envoi.delivery.dkim.records import record
from envoi.delivery.dkim.tests.messages import ED25519, RSA, verified
from envoi.delivery.models import DkimKey
from envoi.delivery.tests.factories import make_contact, make_list, make_transport
from tests.smtp.postfix import Postfix

pytestmark = [pytest.mark.postfix, pytest.mark.django_db(transaction=True)]

BODY = (
    """<p>Dear {{ contact.first_name }},</p>

\t<p>tabs, &nbsp; and  blanks   </p>
<p>.</p>
<p>..from here, a very long line: {{ contact.first_name | times: 1 }} """
    + "wörds and 結衣 " * 90
    + """</p>
<p><a href='https://example.org/?a=1&amp;b=é'>Read</a></p>


"""
)
PEOPLE = {
    "ada@example.net": "Ada",
    "chloe@example.net": "Chloé",
    "dmitri@example.net": "Дмитрий " * 9,
    "yui@example.net": "結衣",
    "layla@example.net": "ليلى",
    "dots@example.net": ".\n.\r\n. \t and more",
}


def in_use(algorithm: str) -> DkimKey:
    key = signing.make("example.org", algorithm, actor=None)
    signing.turn_on(key, anyway=True, resolve=lambda name: [], actor=None)
    return key


def delivered(relay: Postfix, count: int) -> list[bytes]:
    """As they lie in the maildir, with the line ends of the wire; without the fields that only the mailbox adds."""
    return [message.replace(b"\n", b"\r\n") for message in relay.wait_for(count)]


def test_every_signature_is_good_after_a_relay_had_the_message(relay: Postfix) -> None:
    relay.empty()
    keys = in_use(RSA), in_use(ED25519)
    readers = make_list("Friends", *(make_contact(to, first_name=name) for to, name in PEOPLE.items()))
    draft = make_draft(
        readers,
        transport=make_transport(port=relay.port),
        subject="Hej {{ contact.first_name }}, " + "a long subject " * 9,
        body=BODY,
    )
    send(draft, actor=None)
    run_due()

    found = delivered(relay, len(PEOPLE))

    held = {record(key).name: record(key).value for key in keys}
    assert [verified(message, held) for message in found] == [[True, True]] * len(PEOPLE)
    assert all(b"\r\nReceived: from " in message for message in found)
    forged = [message.replace(b"Subject: ", b"Subject: Re: ", 1) for message in found]
    assert [verified(message, held) for message in forged] == [[False, False]] * len(PEOPLE)


def test_a_test_message_is_signed_as_the_broadcast_will_be(relay: Postfix) -> None:
    relay.empty()
    key = in_use(ED25519)
    draft = make_draft(transport=make_transport(port=relay.port), body=BODY)

    [result] = send_test(draft, ["bob@example.net"], None, actor=None)

    assert result.accepted
    [message] = delivered(relay, 1)
    assert verified(message, {record(key).name: record(key).value}) == [True]
