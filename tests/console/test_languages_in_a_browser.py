"""Other languages are longer than English: the pages about sending, on a telephone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from envoi.accounts.models import User
from envoi.delivery.actions import setup, signing
from envoi.delivery.models import DkimKey, ProviderLimit, Route, SenderIdentity
from envoi.delivery.tests.factories import make_transport
from tests import browser as chromium
from tests.browser import SMALL


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Path) -> Path:
    settings.ENVOI_DATA = tmp_path
    return tmp_path


@pytest.mark.parametrize("language", ["fr", "nl", "sv"])
def test_the_pages_about_sending_fit_a_telephone_in_every_language(
    browser: Browser, live_server: LiveServer, person: Callable[..., User], language: str
) -> None:
    ada = person("Ada", language=language)
    setup.ensure_defaults()
    identity = SenderIdentity.objects.get()
    SenderIdentity.objects.update(warm_up_from=date(2026, 11, 21))
    night = make_transport("The relay of the night", open_from=time(22), open_until=time(6), release="queued")
    Route.objects.create(identity=identity, transport=night, weight=0)
    ProviderLimit.objects.create(transport=night, provider="gmail.com", per_minute=1200, at_once=20)
    key = signing.make(domain="lantern.se", algorithm=DkimKey.Algorithm.RSA, selector="", actor=ada)
    pages = ["", f"transports/{night.pk}/", f"senders/{identity.pk}/", "signing/", f"signing/{key.pk}/"]
    with chromium.visiting(browser, live_server.url, viewport=SMALL) as visit:
        visit.sign_in(ada)
        for path in pages:
            page = visit.open(f"/settings/sending/{path}")
            assert page.evaluate("document.documentElement.lang") == language
            visit.assert_fits()
