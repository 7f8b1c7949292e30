"""What stands in the link and in the cookie: signed numbers of a sign-in, of which the one is no use as the other."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from envoi.core import signing

LINK, VISIT = "customer-link", "customer-visit"


def make(sign_in_id: int, purpose: str) -> str:
    return signing.sign(sign_in_id.to_bytes(8, "big"), purpose)


def read(token: str, purpose: str) -> int:
    """The number of the sign-in. Raises `BadToken`."""
    payload = signing.read(token, purpose)
    if len(payload) != 8:
        raise signing.BadToken("not a sign-in")
    return int.from_bytes(payload, "big")


def link(sign_in_id: int) -> str:
    """The address in the e-mail."""
    return f"{settings.ENVOI_BASE_URL}{reverse('public:my-enter', args=[make(sign_in_id, LINK)])}"
