"""Both channels of one broadcast, without a browser: who saw the message gets no e-mail, who did not gets one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from envoi.broadcasts.actions import show
from envoi.broadcasts.tests.test_notices import make_message
from envoi.contacts.models import Kind
from envoi.core import clock
from envoi.core.tasks.testing import run_due
from envoi.delivery.models import Transport
from envoi.delivery.queries import progress
from envoi.delivery.sandbox.store import Mailbox
from envoi.delivery.tests.factories import make_contact, make_identity, make_list, make_transport, suppress
from envoi.notices import actions as notices
from envoi.notices import queries
from envoi.tracking import targets
from tests.journeys.sandboxed import received, sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def box(tmp_path: Path, settings: Settings) -> Iterator[Mailbox]:
    settings.ENVOI_DATA = tmp_path
    targets.registered.cache_clear()
    with sandbox(tmp_path) as mailbox:
        yield mailbox


def test_only_who_has_not_seen_the_message_is_mailed(box: Mailbox) -> None:
    ada, bob = make_contact("ada@example.net"), make_contact("bob@example.net")
    # Known as a lead, too: whoever of the two looks, the person has seen it.
    chloe, chloe_as_lead = make_contact("chloe@example.net"), make_contact("chloe@example.net", Kind.LEAD)
    dmitri = make_contact("dmitri@example.net")
    suppress("dmitri@example.net")
    made = make_message(
        make_list("Everybody", ada, bob, chloe, dmitri),
        plan={"email": "unseen", "email_after_hours": 3, "link_label": "Read on", "link_url": "https://example.org/m"},
        identity=make_identity(make_transport("Sandbox", kind=Transport.Kind.SANDBOX)),
    )
    sent_at = clock.now() - timedelta(hours=3, minutes=1)
    with clock.set_to(sent_at):
        notice = show.show(made, actor=None)
        for person in (ada, dmitri):
            assert [one.key for one in queries.shown_to(person.pk, now=clock.now())] == [notice.key]
        notices.see([notice.key], ada.pk)
        notices.dismiss(notice.key, chloe.pk)
        assert queries.shown_to(chloe_as_lead.pk, now=clock.now()) == []
    show.tend()
    run_due()

    messages = received(box)
    assert sorted(messages) == ["bob@example.net"]
    html = messages["bob@example.net"].get_body(("html",))
    assert html is not None
    assert "From ten o'clock on." in html.get_content()
    assert "Read on</a>" in html.get_content()
    made.refresh_from_db()
    assert made.mailing is not None
    now = progress(made.mailing)
    assert (now.total, now.sent, {str(reason): number for reason, number in now.skipped.items()}) == (
        4, 1, {"suppressed": 1, "seen_notice": 2},
    )  # fmt: skip
    assert (made.status, made.mailing.state) == ("showing", "finished")
    assert queries.numbers(notice).seen == 2
