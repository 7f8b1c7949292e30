"""An owner adds a second relay with limits, routes a sender over both, and signs its mail; in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from envoi.accounts.models import Theme
from envoi.core import clock
from envoi.delivery.actions import setup, signing
from envoi.delivery.actions.provider_limits import LimitValues, set_limits
from envoi.delivery.actions.standstill import pause_transport
from envoi.delivery.models import DkimKey, Pace, Route, SenderIdentity, Transport
from envoi.delivery.queries.provider_paces import slow_down
from envoi.delivery.tests.factories import make_mailing, make_transport
from tests.browser import SMALL, WIDE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Path) -> Path:
    settings.ENVOI_DATA = tmp_path
    return tmp_path


def choose_route(page: Page, visit: Visit) -> None:
    page.get_by_role("link", name="news@", exact=False).first.click()
    visit.ready()
    page.get_by_label("From address").fill("news@lantern.se")
    expect(page.get_by_label("Share of Night")).to_be_hidden()
    expect(page.get_by_role("checkbox", name="Main", exact=True)).to_have_count(0)
    page.get_by_label("Night", exact=True).check()
    page.get_by_label("Share of Night").fill("0")
    page.get_by_label("Begin slowly (warm-up)").check()
    page.get_by_label("First day", exact=True).fill("2026-11-23")
    page.get_by_label("Messages on the first day").fill("1000")
    page.get_by_label("Growth per day in percent").fill("100")
    page.get_by_label("Messages a day at the end").fill("5000")
    expect(page.get_by_text("The limit holds for 3 days")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="4,000")).to_be_visible()
    visit.assert_accessible()


def test_a_second_relay_takes_over_at_night(signed_in: Callable[..., Visit]) -> None:
    setup.ensure_defaults()
    visit = signed_in()
    page = visit.open("/settings/sending/")

    page.get_by_role("link", name="Add transport").click()
    visit.ready()
    page.get_by_label("Name", exact=True).fill("Night")
    page.get_by_label("Host").fill("smtp.lantern.se")
    page.get_by_label("Messages per hour").fill("9000")
    page.get_by_label("Sends from").fill("22:00")
    page.get_by_role("button", name="Add transport").click()
    expect(page.get_by_text("Enter both times, or none to send at any hour.").first).to_be_visible()
    visit.allow("422")
    visit.assert_accessible()
    page.get_by_label("Sends until").fill("06:00")
    page.get_by_label("Sunday").uncheck()
    expect(page.get_by_label("Messages per run")).to_be_hidden()
    page.get_by_label("In portions").check()
    page.get_by_label("Messages per run").fill("500")
    page.get_by_label("Minutes between runs").fill("10")
    page.get_by_role("button", name="Add transport").click()
    expect(page.get_by_text("The transport is added")).to_be_visible()
    page.get_by_role("link", name="Sending", exact=True).click()
    expect(page.get_by_text("9,000 an hour")).to_be_visible()
    expect(page.get_by_text("500 every 10 minutes")).to_be_visible()
    choose_route(page, visit)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The sender is saved.")).to_be_visible()

    night = Transport.objects.get(name="Night")
    assert (night.open_from, night.open_until, night.open_days) == (time(22), time(6), "123456")
    assert (night.portion, night.portion_minutes, night.per_hour) == (500, 10, 9000)
    identity = SenderIdentity.objects.get()
    assert list(identity.routes.values_list("transport", "weight")) == [(night.pk, 0)]
    assert (identity.from_address, identity.warm_up_from) == ("news@lantern.se", date(2026, 11, 23))


def test_a_key_is_made_copied_and_turned_on(signed_in: Callable[..., Visit], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing.turn_on, "__kwdefaults__", {"anyway": False, "resolve": lambda name: []})
    SenderIdentity.objects.create(from_address="news@lantern.se", transport=make_transport("Main"), is_default=True)
    visit = signed_in()
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visit.open("/settings/sending/")

    page.get_by_role("link", name="news@lantern.se").click()
    page.get_by_role("link", name="Make a key").click()
    page.get_by_label("Ed25519").check()
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator("#record-name")).to_have_text("envoi1._domainkey.lantern.se")
    visit.ready()
    page.get_by_role("button", name="Copy the value").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    visit.assert_accessible()
    page.get_by_role("button", name="Turn on", exact=True).click()
    expect(page.get_by_text("The key was not turned on")).to_be_visible()
    visit.allow("409")
    visit.assert_accessible()
    assert not DkimKey.objects.get().is_active
    visit.ready()
    page.get_by_role("button", name="Turn it on anyway").click()
    page.locator("dialog[open] button[value=yes]").click()
    expect(page.get_by_text("Messages from lantern.se are signed with it.")).to_be_visible()
    assert DkimKey.objects.get().is_active


def a_busy_installation() -> list[str]:
    """Everything that these pages can show at once; their addresses."""
    identity = setup.ensure_defaults()
    main = identity.transport
    night = make_transport(
        "Donaudampfschifffahrtsgesellschaftskapitänspostausgang bei Nacht",
        host="outgoing-mail-relay-number-one.eu-north-1.example-provider.net",
        per_second=20, per_hour=9000, open_from=time(22), open_until=time(22, 1), open_days="17",
        release="queued", portion=500, portion_minutes=10,
    )  # fmt: skip
    Route.objects.create(identity=identity, transport=night, weight=0)
    identity.from_name, identity.warm_up_from = "Åsa of the Lantern Foundation for Public Reading", date(2026, 11, 23)
    identity.save()
    reason = "535 5.7.8 Authentication credentials invalid: https://support.example.net/authentication-credentials"
    pause_transport(main, reason=reason, actor=None)
    set_limits(main, [LimitValues("gmail.com", 600, 4), LimitValues("", None, 2)], actor=None)
    slow_down(main, "outlook.com", 10, 4, "451 4.7.650 The mail server has been temporarily rate limited")
    keys = [signing.make("lantern.se", algorithm, actor=None) for algorithm in DkimKey.Algorithm.values]
    other = SenderIdentity.objects.create(from_address="shop@lantern.se", transport=main)
    return [
        "/settings/sending/",
        f"/settings/sending/transports/{main.pk}/",
        f"/settings/sending/transports/{night.pk}/",
        f"/settings/sending/senders/{identity.pk}/",
        f"/settings/sending/senders/{other.pk}/",
        "/settings/sending/signing/",
        *(f"/settings/sending/signing/{key.pk}/" for key in keys),
    ]


def test_olga_sends_the_next_portion_without_waiting_for_it(signed_in: Callable[..., Visit]) -> None:
    transport = make_transport("Main", release="queued", portion=500, portion_minutes=600)
    Pace.objects.create(transport=transport, next_at=clock.now(), run_at=clock.now(), run_left=0)
    make_mailing(*(f"reader{number}@example.net" for number in range(3)), transport=transport)
    visit = signed_in()
    visit.page.set_viewport_size(SMALL)
    page = visit.open(f"/settings/sending/transports/{transport.pk}/")
    expect(page.get_by_text("The next portion leaves at")).to_be_visible()
    visit.assert_fits()
    visit.assert_accessible()

    page.get_by_role("button", name="Send the next portion now").click()

    expect(page.get_by_text("The next portion leaves now: 500 messages at most.")).to_be_visible()
    expect(page.get_by_text("0 of 500 messages of this portion have left.")).to_be_visible()
    visit.ready()
    visit.assert_fits()
    visit.assert_accessible()
    visit.shoot("sending-portion")
    Pace.objects.update(run_left=377)
    expect(page.get_by_text("123 of 500 messages of this portion have left.")).to_be_visible()
    Pace.objects.update(run_left=0)
    expect(page.get_by_role("button", name="Send the next portion now")).to_be_visible()


@pytest.mark.parametrize(("theme", "window"), [(Theme.LIGHT, SMALL), (Theme.DARK, WIDE)])
def test_full_pages_are_accessible_and_fit(signed_in: Callable[..., Visit], theme: str, window: Any) -> None:
    visit = signed_in(theme=theme)
    visit.page.set_viewport_size(window)

    for number, path in enumerate(a_busy_installation()):
        visit.open(path)
        visit.shoot(f"sending-{number}-{theme}")
        visit.assert_fits()
        visit.assert_accessible()
