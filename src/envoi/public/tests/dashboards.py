"""A site with its key, and requests as its dashboards make them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django.http.response import HttpResponseBase
from django.test import Client

from envoi.core import clock
from envoi.notices import identity
from envoi.notices.actions import site_keys
from envoi.notices.models import SiteKey

SHOP = "https://shop.example.org"


@dataclass
class Site:
    """The shop's own web application."""

    key: SiteKey
    secret: str

    def vouch(self, customer: str, *, expires: int | None = None, secret: str = "") -> dict[str, str]:
        """The four headers for `customer`, good for an hour unless told otherwise."""
        until = expires if expires is not None else int((clock.now() + timedelta(hours=1)).timestamp())
        return {
            "X-Envoi-Key": self.key.key,
            "X-Envoi-Customer": quote(customer),
            "X-Envoi-Expires": str(until),
            "X-Envoi-Signature": identity.sign(secret or self.secret, customer, until),
        }

    def ask(self, customer: str, path: str = "", **more: Any) -> HttpResponseBase:
        """What `customer` sees."""
        headers = {**self.vouch(customer), **more.pop("headers", {})}
        return Client().get(f"/n/v1/notices{path}", headers=headers)

    def tell(self, customer: str, path: str, body: object = None, **more: Any) -> HttpResponseBase:
        """What `customer` did."""
        headers = {**self.vouch(customer), **more.pop("headers", {})}
        return Client().post(f"/n/v1/notices/{path}", body or {}, content_type="application/json", headers=headers)


def make_site(name: str = "Shop", origins: str = SHOP) -> Site:
    return Site(*site_keys.make(name, origins, actor=None))
