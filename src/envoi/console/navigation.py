"""What stands in the sidebar, in which order, and for whom."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from envoi.accounts.models import User
from envoi.accounts.permissions import Permission, may


@dataclass(frozen=True, slots=True)
class Place:
    """One entry.

    Attributes:
        view: name of the page it leads to.
        permission: who sees it.
        begins_group: a thin line stands above it.
    """

    label: Promise
    icon: str
    view: str
    permission: Permission
    begins_group: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry as one page shows it."""

    place: Place
    url: str
    current: bool


PLACES = (
    Place(_("Home"), "home", "home:dashboard", Permission.VIEW),
    Place(_("Broadcasts"), "send", "broadcasts:list", Permission.VIEW),
    Place(_("Contacts"), "users", "contacts:list", Permission.VIEW, begins_group=True),
    Place(_("Lists"), "list-check", "audiences:lists", Permission.VIEW),
    Place(_("Products"), "package", "audiences:products", Permission.VIEW),
    Place(_("Layouts"), "template", "layouts:list", Permission.VIEW, begins_group=True),
    Place(_("Sandbox mailbox"), "inbox", "sandbox:list", Permission.READ_SANDBOX),
    Place(_("Settings"), "settings", "settings:index", Permission.MANAGE_SETTINGS, begins_group=True),
)


def shown_to(user: User | AnonymousUser, path: str) -> list[Shown]:
    """The entries `user` may open; the one whose address is the longest beginning of `path` is the current one."""
    reachable = [(place, _address(place)) for place in PLACES if may(user, place.permission)]
    found = [(place, url) for place, url in reachable if url]
    current = max((url for _place, url in found if _is_within(path, url)), key=len, default="")
    return [Shown(place, url, url == current) for place, url in found]


def _is_within(path: str, url: str) -> bool:
    return path == url if url == "/" else path.startswith(url)


def _address(place: Place) -> str:
    try:
        return reverse(place.view)
    except NoReverseMatch:
        return ""
