"""An owner sets limits towards receiving providers, and sees and ends what their own words slowed down."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from envoi.accounts.models import AuditEntry, Role, User
from envoi.core import clock
from envoi.delivery.models import ProviderLimit, ProviderPace, Transport
from envoi.delivery.queries.provider_paces import rules, slow_down
from envoi.delivery.tests.factories import make_transport

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(User.objects.create_user("olga@example.org", role=Role.OWNER))
    return client


def page_of(transport: Transport, name: str = "transport") -> str:
    return reverse(f"settings:{name}", args=[transport.pk])


def set_limit(client: Client, transport: Transport, **values: str) -> int:
    given = {"provider": "", "per_minute": "", "at_once": "", **values}
    return client.post(page_of(transport, "provider-limits"), given).status_code


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Gmail.com", "google.com"),
        ("google.com", "google.com"),
        ("example.net.", "example.net"),
        ("", ""),
    ],
)
def test_a_limit_counts_for_the_provider_behind_a_domain(owner: Client, given: str, kept: str) -> None:
    transport = make_transport()

    assert set_limit(owner, transport, provider=given, per_minute="120", at_once="2") == 302

    transport.refresh_from_db()
    assert transport.minds_providers
    assert {name: (rule.per_second, rule.at_once) for name, rule in rules(transport).items()} == {kept: (2.0, 2)}
    assert AuditEntry.objects.get(verb="limit_providers").details == {"limits": {kept or "*": [120, 2]}}


def test_a_second_limit_takes_the_place_of_the_first(owner: Client) -> None:
    transport = make_transport()

    set_limit(owner, transport, provider="gmail.com", per_minute="120")
    set_limit(owner, transport, provider="googlemail.com", at_once="3")

    limit = ProviderLimit.objects.get()
    assert (limit.provider, limit.per_minute, limit.at_once) == ("google.com", None, 3)
    page = owner.get(page_of(transport)).content.decode()
    assert "3 at once" in page
    assert "Remove the limit for google.com" in page


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"provider": "no domain", "per_minute": "1"}, "is no domain"),
        ({"provider": "gmail.com"}, "Enter messages per minute or messages at once for google.com"),
        ({"provider": "gmail.com", "at_once": "99999"}, "Enter 1 or more messages at once"),
        ({"provider": "gmail.com", "per_minute": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_limit_that_cannot_be_kept_is_refused(owner: Client, values: dict[str, str], words: str) -> None:
    transport = make_transport()

    answer = owner.post(page_of(transport, "provider-limits"), {"per_minute": "", "at_once": "", **values})

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not ProviderLimit.objects.exists()
    transport.refresh_from_db()
    assert not transport.minds_providers


def test_a_limit_is_removed(owner: Client) -> None:
    transport = make_transport()
    set_limit(owner, transport, at_once="3")
    set_limit(owner, transport, provider="gmail.com", at_once="2")

    answer = owner.post(page_of(transport, "provider-limit-removal"), {"provider": ""})

    assert answer["Location"] == page_of(transport)
    assert [one.provider for one in ProviderLimit.objects.all()] == ["google.com"]


def test_a_provider_that_asked_for_less_is_shown_with_its_words(owner: Client) -> None:
    transport = make_transport("Main")
    slow_down(transport, "google.com", 10, 4, "421 4.7.0 unusual rate <of mail>")

    page = owner.get(page_of(transport)).content.decode()

    assert "300 a minute instead of 600, since 21 Nov 2026, 12:00" in page
    assert "421 4.7.0 unusual rate &lt;of mail&gt;" in page

    owner.post(page_of(transport, "slowdown-end"), {"provider": "google.com"})
    owner.post(page_of(transport, "slowdown-end"), {"provider": "google.com"})

    assert not ProviderPace.objects.exists()
    assert AuditEntry.objects.filter(verb="end_slowdown").count() == 1


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_only_owners_may(client: Client, role: str) -> None:
    client.force_login(User.objects.create_user("eva@example.org", role=role))
    transport = make_transport()
    slow_down(transport, "google.com", 10, 4, "421")

    assert set_limit(client, transport, at_once="1") == 403
    assert client.post(page_of(transport, "slowdown-end"), {"provider": "google.com"}).status_code == 403
    assert ProviderPace.objects.get().slowed_at == NOW
    assert not ProviderLimit.objects.exists()
