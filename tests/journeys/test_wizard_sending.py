"""An editor chooses sender and priority in the wizard and reads how the broadcast will leave; in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from typing import Any

import pytest
from playwright.sync_api import expect

from envoi.accounts.models import Role, Theme
from envoi.broadcasts.models import Broadcast
from envoi.broadcasts.tests.factories import make_draft
from envoi.delivery.models import Mailing, Route, SenderIdentity
from envoi.delivery.tests.factories import make_contact, make_list, make_transport
from tests.browser import SMALL, WIDE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("theme", "window"), [(Theme.LIGHT, SMALL), (Theme.DARK, WIDE)])
def test_sender_and_priority_are_chosen_and_the_way_is_shown(
    signed_in: Callable[..., Visit], theme: str, window: Any
) -> None:
    draft = make_draft(make_list("News", make_contact("ada@example.net")))
    shop = SenderIdentity.objects.create(
        from_name="Shop",
        from_address="shop@lantern.se",
        transport=make_transport("Main", release="queued", portion=500, portion_minutes=10),
        warm_up_from=date(2100, 1, 1),
    )
    Route.objects.create(identity=shop, transport=make_transport("Night", open_from=time(22), open_until=time(6)))
    visit = signed_in(role=Role.EDITOR, theme=theme)
    visit.page.set_viewport_size(window)
    page = visit.open(f"/broadcasts/{draft.pk}/content/")

    page.get_by_label("From", exact=True).select_option("Shop <shop@lantern.se>")
    page.get_by_label("Priority").select_option("High")
    visit.assert_accessible()
    visit.assert_fits()
    visit.shoot(f"wizard-content-{theme}")
    page.get_by_role("button", name="Next Step").click()

    expect(page.get_by_text("In portions over Main: 500 every 10 minutes.")).to_be_visible()
    expect(page.get_by_text("As soon as possible over Night: 22:00 to 06:00.")).to_be_visible()
    expect(page.get_by_text("Warm-up: at most 200 messages today")).to_be_visible()
    expect(page.get_by_text("Priority: High")).to_be_visible()
    visit.ready()
    visit.assert_accessible()
    visit.assert_fits()
    visit.shoot(f"wizard-review-{theme}")
    stored = Broadcast.objects.get(pk=draft.pk)
    assert (stored.identity, stored.priority) == (shop, Mailing.Priority.HIGH)
