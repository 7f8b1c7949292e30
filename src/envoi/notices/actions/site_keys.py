"""Site keys: make one, change where it may be used, revoke it."""

from __future__ import annotations

import secrets as random
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.translation import gettext as _

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.core import clock, secrets
from envoi.notices import identity
from envoi.notices.models import SiteKey

DEFAULT_PORTS = {"http": 80, "https": 443}


class OriginRefused(ValueError):
    """This is not the address of a site; the message names it."""


def make(name: str, origins: str, *, actor: User | None) -> tuple[SiteKey, str]:
    """A new key and its secret, which is shown once and never again.

    Raises:
        OriginRefused: one of `origins` (separated by white space) is no address of a site.
    """
    made = SiteKey(name=" ".join(name.split()), origins=normalised(origins), created_by=actor)
    secret = random.token_urlsafe(32)
    made.secret_encrypted = secrets.encrypt(secret, made.secret_context)
    with transaction.atomic():
        made.save()
        audit.record(actor, "site_key_make", made, origins=made.origins.split())
        _tell()
    return made, secret


def change(site: SiteKey, *, name: str, origins: str, actor: User | None) -> None:
    """Rename it, or name other addresses. Raises `OriginRefused`."""
    site.name, site.origins = " ".join(name.split()), normalised(origins)
    with transaction.atomic():
        site.save(update_fields=["name", "origins"])
        audit.record(actor, "site_key_change", site, origins=site.origins.split())
        _tell()


def revoke(site: SiteKey, *, actor: User | None) -> None:
    """Whatever it signed counts no more, within a second."""
    with transaction.atomic():
        if SiteKey.objects.filter(pk=site.pk, revoked_at=None).update(revoked_at=clock.now()):
            audit.record(actor, "site_key_revoke", site)
            _tell()


def normalised(origins: str) -> str:
    """Each address once, as browsers write an origin (RFC 6454 §6.2): https://app.example.org, one a line.

    Raises:
        OriginRefused: one is not the address of a site.
    """
    return "\n".join(dict.fromkeys(_origin(address) for address in origins.split()))


def _origin(address: str) -> str:
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except (ValueError, UnicodeError):
        host, port = "", None
    if _is_no_site(address, host):
        raise OriginRefused(
            _("“%(address)s” is not the address of a site. Write it such as https://app.example.org.")
            % {"address": address[:100]}
        )
    scheme = urlsplit(address).scheme.lower()
    bracketed = f"[{host}]" if ":" in host else host
    return f"{scheme}://{bracketed}" + (f":{port}" if port and port != DEFAULT_PORTS[scheme] else "")


def _is_no_site(address: str, host: str) -> bool:
    return not host or "*" in host or not address.lower().startswith(("http://", "https://"))


def _tell() -> None:
    identity.forget()
    transaction.on_commit(identity.forget)
