"""Every page of the console says who may open it; the few that everybody may open are listed here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from envoi.accounts.permissions import Permission


def routes(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, path)
        else:
            yield path, pattern


SIGNED_IN = {"account/", "account/theme/"}  # one's own account, whatever one's role
VISITORS = {"account/forgotten-password/", "account/language/", "accounts/password/reset/"}

PATHS = {
    path: pattern for path, pattern in routes(get_resolver()) if pattern.callback.__module__.startswith("envoi.console")
}
CONSOLE = [
    pytest.param(pattern, id=path or "/")
    for path, pattern in PATHS.items()
    if path not in SIGNED_IN | VISITORS and not path.startswith("accounts/")
]


def test_there_is_something_to_check() -> None:
    assert len(CONSOLE) > 10
    assert set(PATHS) >= SIGNED_IN | VISITORS


@pytest.mark.parametrize("pattern", CONSOLE)
def test_it_asks_for_a_permission(pattern: URLPattern) -> None:
    assert isinstance(getattr(pattern.callback, "permission", None), Permission)


@pytest.mark.django_db
@pytest.mark.parametrize("path", sorted(SIGNED_IN))
def test_visitors_are_asked_to_sign_in_before_they_see_an_account(path: str, client: Client) -> None:
    for answer in (client.get(f"/{path}"), client.post(f"/{path}")):
        assert answer.status_code in {302, 405}
        assert answer.status_code == 405 or answer["Location"].startswith("/accounts/login/")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", sorted(path for path in PATHS if path.startswith("accounts/") and path not in VISITORS)
)
def test_what_allauth_brings_and_envoi_does_not_offer_is_closed(path: str, client: Client) -> None:
    assert (client.get(f"/{path}").status_code, client.post(f"/{path}").status_code) == (404, 404)
