"""Every address of the console × every role, from the resolver itself: a new page is tested by being there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import IntConverter

from envoi.accounts.models import Role, User
from envoi.accounts.permissions import Permission, may
from envoi.console.navigation import PLACES, shown_to

pytestmark = pytest.mark.django_db

# Pages about oneself, and two that a visitor needs; everything else names a permission.
EVERYBODY = {"account:profile", "account:theme"}
VISITORS = {"account:language", "account:forgotten"}


@dataclass(frozen=True)
class Route:
    name: str
    path: str
    permission: Permission | None


def routes() -> list[Route]:
    return sorted(_routes(get_resolver(), "", ""), key=lambda route: route.name)


def _routes(resolver: URLResolver, namespace: str, prefix: str) -> Iterator[Route]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = ":".join(filter(None, [namespace, pattern.namespace or ""]))
            yield from _routes(pattern, inner, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern) and _of_console(pattern):
            arguments = {
                name: 999_999_999 if isinstance(converter, IntConverter) else "0000000000000000"
                for name, converter in pattern.pattern.converters.items()
            }
            name = f"{namespace}:{pattern.name}"
            yield Route(name, reverse(name, kwargs=arguments), getattr(pattern.callback, "permission", None))


def _of_console(pattern: URLPattern) -> bool:
    module = getattr(pattern.callback, "__module__", "")
    return module.startswith("envoi.console.") and bool(pattern.name)


ROUTES = routes()
GUARDED = [route for route in ROUTES if route.name not in EVERYBODY | VISITORS]


def user(role: str) -> User:
    return User.objects.create_user(f"{role}@example.org", "correct horse battery", role=role)


def test_the_resolver_knows_the_pages_of_every_part() -> None:
    parts = {route.name.partition(":")[0] for route in ROUTES}
    assert parts >= {"home", "account", "settings", "broadcasts", "contacts", "audiences", "layouts", "sandbox"}


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.name)
def test_every_page_names_the_permission_it_needs(route: Route) -> None:
    assert isinstance(route.permission, Permission)


@pytest.mark.parametrize("method", ["get", "post"])
def test_visitors_are_asked_to_sign_in(client: Client, method: str) -> None:
    for route in ROUTES:
        if route.name in VISITORS:
            continue
        answer = getattr(client, method)(route.path)
        assert answer.status_code == 302, route
        assert answer["Location"].startswith("/accounts/login/?next="), route


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_role_opens_exactly_what_the_catalogue_says(client: Client, role: str, method: str) -> None:
    somebody = user(role)
    for route in GUARDED:
        client.force_login(somebody)
        assert route.permission is not None, route
        answer = getattr(client, method)(route.path)
        refused = answer.status_code == 403
        assert refused == (not may(somebody, route.permission)), (route, answer.status_code)
        assert answer.status_code < 500, route


def test_somebody_who_was_let_out_is_a_visitor_at_once(client: Client) -> None:
    owner = user(Role.OWNER)
    client.force_login(owner)
    assert client.get("/settings/users/").status_code == 200
    User.objects.update(is_active=False)
    assert client.get("/settings/users/")["Location"] == "/accounts/login/?next=/settings/users/"


def test_no_form_is_taken_from_another_site() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user(Role.OWNER))
    for route in ROUTES:
        assert client.post(route.path).status_code == 403, route


def test_head_is_answered_everywhere(client: Client) -> None:
    client.force_login(user(Role.OWNER))
    for route in ROUTES:
        assert client.head(route.path).status_code < 500, route


@pytest.mark.parametrize("role", Role.values)
def test_the_sidebar_shows_what_the_role_may_open_and_marks_where_one_is(role: str) -> None:
    somebody = user(role)
    shown = shown_to(somebody, "/broadcasts/12/")
    assert [place.place for place in shown] == [place for place in PLACES if may(somebody, place.permission)]
    assert [place.place.view for place in shown if place.current] == ["broadcasts:list"]


def test_pages_the_sign_in_library_has_and_we_do_not_are_absent(client: Client) -> None:
    client.force_login(user(Role.OWNER))
    for path in ["signup/", "email/", "confirm-email/", "login/code/", "password/set/"]:
        assert client.get(f"/accounts/{path}").status_code == 404, path
