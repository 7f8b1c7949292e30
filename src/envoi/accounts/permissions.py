"""The one permission catalogue: what may be done, and which role may do it. Pages, API and command line ask here."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from envoi.accounts.models import ApiKey, Role

if TYPE_CHECKING:
    from envoi.accounts.models import User


class Permission(StrEnum):
    """One thing that somebody may or may not do."""

    VIEW = "view"  # see contacts, lists, products, broadcasts and their numbers
    EXPORT = "export"  # take personal data out as a file
    EDIT_CONTACTS = "edit_contacts"  # contacts, lists, products, memberships, imports
    EDIT_BROADCASTS = "edit_broadcasts"  # write and test broadcasts, layouts
    SEND_BROADCASTS = "send_broadcasts"  # send, pause, resume, cancel
    READ_SANDBOX = "read_sandbox"  # the sandbox mailbox
    MANAGE_SETTINGS = "manage_settings"  # transports, sender identities, settings of the installation
    MANAGE_USERS = "manage_users"  # users and their roles


_VIEWER = frozenset({Permission.VIEW, Permission.READ_SANDBOX})
_EDITOR = _VIEWER | {
    Permission.EXPORT,
    Permission.EDIT_CONTACTS,
    Permission.EDIT_BROADCASTS,
    Permission.SEND_BROADCASTS,
}

CATALOGUE: dict[str, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.EDITOR: _EDITOR,
    Role.OWNER: frozenset(Permission),
}


# What an API key can be given. The API has nothing else yet; each resource adds what it needs.
SCOPES: dict[Permission, Promise] = {
    Permission.VIEW: _("Read notices and their numbers"),
    Permission.SEND_BROADCASTS: _("Publish, change, end and withdraw notices"),
}


def may(user: User | AnonymousUser, permission: Permission) -> bool:
    """Whether `user` may do this; somebody who is not signed in, or no longer may, may nothing."""
    return user.is_authenticated and user.is_active and permission in CATALOGUE.get(user.role, frozenset())


def key_may(key: ApiKey, permission: Permission) -> bool:
    """Whether a program with `key` may do this: the key names it, and its owner still may."""
    return key.is_alive and permission in key.scopes and may(key.owner, permission)
