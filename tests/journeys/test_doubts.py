"""An editor sees why a broadcast waits, and decides about those of whom nobody knows; in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from envoi.accounts.models import Role, Theme
from envoi.broadcasts.actions.send import send
from envoi.broadcasts.models import Broadcast
from envoi.broadcasts.tests.factories import make_draft
from envoi.delivery.actions.standstill import pause_transport
from envoi.delivery.models import Delivery, Mailing
from envoi.delivery.queries import recount
from envoi.delivery.tests.factories import make_contact, make_list
from tests.browser import SMALL, WIDE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NAMES = ("Ada", "Bob", "Chloé", "Dmitri")


def started() -> Broadcast:
    people = [make_contact(f"{name.lower()}@example.net", first_name=name) for name in NAMES]
    draft = make_draft(make_list("News", *people))
    send(draft, actor=None)
    draft.refresh_from_db()
    return draft


def in_doubt() -> Broadcast:
    """Sent to Ada and Dmitri; of Bob and Chloé nobody knows."""
    broadcast = started()
    mailing = broadcast.mailing
    assert mailing is not None
    mailing.deliveries.filter(contact__first_name__in=["Ada", "Dmitri"]).update(state=Delivery.State.SENT)
    mailing.deliveries.filter(contact__first_name__in=["Bob", "Chloé"]).update(state=Delivery.State.UNKNOWN)
    recount(mailing)
    Mailing.objects.filter(pk=mailing.pk).update(state=Mailing.State.FINISHED)
    Broadcast.objects.filter(pk=broadcast.pk).update(status=Broadcast.Status.FINISHED)
    return broadcast


def states() -> dict[str, str]:
    return dict(Delivery.objects.values_list("contact__first_name", "state"))


@pytest.mark.parametrize(("theme", "window"), [(Theme.LIGHT, SMALL), (Theme.DARK, WIDE)])
def test_those_of_whom_nobody_knows_are_decided_one_by_one_and_together(
    signed_in: Callable[..., Visit], theme: str, window: Any
) -> None:
    broadcast = in_doubt()
    visit = signed_in(role=Role.EDITOR, theme=theme)
    visit.page.set_viewport_size(window)
    page = visit.open(f"/broadcasts/{broadcast.pk}/")

    page.get_by_role("link", name="Outcome unknown").click()
    visit.ready()
    expect(page.get_by_role("cell", name="bob@example.net Bob")).to_be_visible()
    expect(page.get_by_text("ada@example.net")).to_have_count(0)
    visit.assert_accessible()
    visit.assert_fits()
    visit.shoot(f"doubts-{theme}")

    page.get_by_role("button", name="Mark as sent: bob@example.net").click()
    expect(page.get_by_text("1 message is marked as sent.")).to_be_visible()
    assert states() == {"Ada": "sent", "Bob": "sent", "Chloé": "unknown", "Dmitri": "sent"}
    visit.ready()
    page.get_by_role("button", name="Send to all of them again").click()
    page.get_by_role("button", name="Cancel").click()
    assert states()["Chloé"] == "unknown"
    page.get_by_role("button", name="Send to all of them again").click()
    page.locator("dialog[open] button[value=yes]").click()
    expect(page.get_by_text("It is sent to 1 person again.")).to_be_visible()
    assert states() == {"Ada": "sent", "Bob": "sent", "Chloé": "pending", "Dmitri": "sent"}
    assert Mailing.objects.get().state == Mailing.State.RUNNING


def test_a_broadcast_whose_transport_is_paused_says_why_it_waits(signed_in: Callable[..., Visit]) -> None:
    broadcast = started()
    assert broadcast.identity is not None
    pause_transport(broadcast.identity.transport, reason="535 5.7.8 wrong password", actor=None)
    visit = signed_in(role=Role.OWNER)

    page = visit.open(f"/broadcasts/{broadcast.pk}/")
    expect(page.get_by_text("535 5.7.8 wrong password")).to_be_visible()
    visit.assert_accessible()
    visit.shoot("waiting")
    page.get_by_role("link", name="To the transport").click()
    visit.ready()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Sending goes on.")).to_be_visible()
    visit.open(f"/broadcasts/{broadcast.pk}/")
    expect(page.get_by_text("535 5.7.8 wrong password")).to_have_count(0)
