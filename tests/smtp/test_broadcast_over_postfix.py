"""A broadcast leaves through a real Postfix; what lies in the maildir is read by a parser that is not ours."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from envoi.broadcasts.actions.send import send
from envoi.broadcasts.tests.factories import make_draft
from envoi.contacts.models import Suppression
from envoi.core.tasks.testing import run_due
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.queries import recount
from envoi.delivery.tests.factories import make_contact, make_list, make_transport, suppress
from tests.smtp.postfix import Postfix

pytestmark = [pytest.mark.postfix, pytest.mark.django_db(transaction=True)]

PEOPLE = {
    "ada@example.net": "Ada",
    "chloe@example.net": "Chloé",
    "dmitri@example.net": "Дмитрий",
    "yui@example.net": "結衣",
    "layla@example.net": "ليلى",
    "dots@example.net": ".\n.\r\n. and more",
    "tag@example.net": "{{ 7 | times: 7 }}",
}


def sent_through(relay: Postfix) -> Mailing:
    """Everybody of PEOPLE, Bob who must not be mailed, and two whom the relay refuses."""
    suppress("bob@example.net", Suppression.Reason.COMPLAINT)
    readers = make_list(
        "Friends",
        *(make_contact(address, first_name=name) for address, name in PEOPLE.items()),
        *(make_contact(address, first_name="?") for address in ("bob@example.net", "nobody@example.net")),
        make_contact("full@example.net", first_name="Full"),
    )
    text = "<p>Dear {{ contact.first_name }},</p><p>.</p><p><a href='https://example.org/?a=1&amp;b=é'>Read</a></p>"
    draft = make_draft(
        readers, transport=make_transport(port=relay.port), subject="Hej {{ contact.first_name }}!", body=text
    )
    mailing = send(draft, actor=None)
    run_due()
    recount(mailing)
    return mailing


def by_recipient(messages: list[bytes]) -> dict[str, EmailMessage]:
    parsed = [message_from_bytes(raw, policy=policy.default) for raw in messages]
    return {str(message["Delivered-To"]): message for message in parsed if isinstance(message, EmailMessage)}


def test_everybody_who_may_gets_one_message_and_the_ledger_says_what_the_relay_said(relay: Postfix) -> None:
    relay.empty()
    mailing = sent_through(relay)

    found = by_recipient(relay.wait_for(len(PEOPLE)))
    rows = {row.address: row for row in mailing.deliveries.all()}

    assert sorted(found) == sorted(PEOPLE)
    assert {rows[address].state for address in PEOPLE} == {Delivery.State.SENT}
    assert rows["bob@example.net"].skip_reason == Delivery.SkipReason.SUPPRESSED
    nobody, full = rows["nobody@example.net"], rows["full@example.net"]
    assert (nobody.state, nobody.reply_code, nobody.reply_status) == (Delivery.State.FAILED, 550, "5.1.1")
    assert "No such user here" in nobody.reply_text
    assert (full.state, full.reply_code, full.reply_status) == (Delivery.State.DEFERRED, 452, "4.2.2")
    assert full.retry_at is not None


def test_each_message_reads_as_it_was_written_and_carries_the_headers_of_bulk_mail(relay: Postfix) -> None:
    relay.empty()
    mailing = sent_through(relay)
    found = by_recipient(relay.wait_for(len(PEOPLE)))
    rows = {row.address: row for row in mailing.deliveries.select_related("mailing")}

    for address, name in PEOPLE.items():
        message, shown = found[address], " ".join(name.split())
        html, text = (message.get_body((kind,)) for kind in ("html", "plain"))
        assert message["Subject"] == f"Hej {shown}!"
        assert message["Message-ID"] == rows[address].message_id
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert re.fullmatch(r"<https?://\S+/u/\S+>, <mailto:\S+>", str(message["List-Unsubscribe"]))
        assert message["Precedence"] == "bulk"
        assert [len(message.get_all(name, [])) for name in ("From", "To", "Date", "Subject")] == [1, 1, 1, 1]
        assert not message.defects
        assert isinstance(html, EmailMessage)
        assert isinstance(text, EmailMessage)
        assert shown.replace("{{", "").split()[0] in html.get_content()
        assert "Dear" in text.get_content()


def test_the_return_path_is_signed_and_different_for_everybody(relay: Postfix) -> None:
    relay.empty()
    sent_through(relay)
    found = by_recipient(relay.wait_for(len(PEOPLE)))

    paths = {str(message["Return-Path"]) for message in found.values()}

    assert len(paths) == len(PEOPLE)
    assert all(path.endswith("@example.org>") for path in paths)
