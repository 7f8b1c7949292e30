"""Whom a dashboard speaks for: the site that shows it signs who is looking, and for how long.

The site sends four words: its key, the customer, the moment until which this holds, and the signature

    hex(HMAC-SHA256(secret, customer + "\\n" + expires))

with `expires` in seconds since 1970 (RFC 2104). A customer is named as `mail:` and an address, `ref:` and the
reference of the contact here, or `id:` and its number.

Guarantees: whatever is wrong is `NotVouched`, without a reason; as much is computed for a key that does not exist as
for one that does; nobody learns whether a customer exists, because a stranger who is vouched for is somebody who sees
nothing. A signature that was overheard is worth something for a day at most, and to browsers only on the site's own
pages. Keys and customers are kept in memory: keys for a second, customers as long as the stamp of everybody's view
stays, so that a repeated question asks no database.
"""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass
from threading import Lock

from envoi.contacts.models import Contact
from envoi.core import addresses, clock, keys, secrets
from envoi.notices.models import SiteKey
from envoi.notices.queries import stamps

LONGEST_VALIDITY = 24 * 3600
CLOCKS_DIFFER = 300
FRESH_FOR = 1.0
MOST_REMEMBERED = 100_000
# The key by which Envoi's own customer page asks; no site can have it, since it is not hexadecimal.
OWN_KEY = "own-page"


class NotVouched(Exception):
    """Nobody who may say so says that this customer is looking. There is no more to it than that."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says, as it came: nothing in it is true before `contact_of` says so.

    Attributes:
        origin: of the page that asks; "" when it is not a page (RFC 6454).
    """

    key: str
    customer: str
    expires: str
    signature: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class _Site:
    secret: bytes
    origins: frozenset[str]


@dataclass(slots=True)
class _Known:
    sites: dict[str, _Site]
    origins: frozenset[str]
    due: float


_NOBODY = _Site(b"a secret that nobody holds: it costs as much as one that somebody does", frozenset())
_known: _Known | None = None
_customers: dict[str, int] = {}
_customers_as_of = ""
_lock = Lock()


def sign(secret: str | bytes, customer: str, expires: int) -> str:
    """The signature that a site computes."""
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.digest(key, f"{customer}\n{expires}".encode(), "sha256").hex()


def own_claim(contact_id: int, expires: int) -> Claim:
    """What Envoi's own customer page says of the person who is signed in."""
    customer = f"id:{contact_id}"
    return Claim(OWN_KEY, customer, str(expires), sign(_own_secret(), customer, expires))


def contact_of(claim: Claim, *, own_origin: str = "") -> int:
    """The contact who is looking; 0 for somebody who is vouched for but not known here.

    Args:
        own_origin: the origin under which Envoi itself was asked; its own page may ask from there.

    Raises:
        NotVouched: forged, expired, too long, revoked, from a foreign page.
    """
    if claim.key == OWN_KEY:
        site = _Site(_own_secret(), frozenset({own_origin}))
    else:
        site = _sites().sites.get(claim.key, _NOBODY)
    written = claim.expires
    expires = int(written) if written.isascii() and written.isdigit() and len(written) < 16 else 0
    expected = hmac.digest(site.secret, f"{claim.customer}\n{claim.expires}".encode(errors="replace"), "sha256")
    genuine = hmac.compare_digest(expected.hex().encode(), claim.signature.lower().encode(errors="replace"))
    now = clock.now().timestamp()
    timely = now < expires <= now + LONGEST_VALIDITY + CLOCKS_DIFFER
    from_there = not claim.origin or claim.origin in site.origins
    if site is _NOBODY or not (genuine and timely and from_there):
        raise NotVouched
    return _contact(claim.customer)


def may_ask_from(origin: str) -> bool:
    """Whether pages of `origin` may read answers at all: some site has named it as its own."""
    return origin in _sites().origins


def forget() -> None:
    """Read the keys anew at the next question."""
    global _known
    _known = None


def _own_secret() -> bytes:
    return keys.derive("own-page")


def _sites() -> _Known:
    global _known
    known = _known
    if known is not None and time.monotonic() < known.due:
        return known
    with _lock:
        known = _known
        if known is None or time.monotonic() >= known.due:
            known = _known = _read()
    return known


def _read() -> _Known:
    sites = {}
    for row in SiteKey.objects.filter(revoked_at=None):
        try:
            secret = secrets.decrypt(row.secret_encrypted, row.secret_context)
        except secrets.SecretUnreadable:
            continue  # written with another secret key: as good as revoked
        sites[row.key] = _Site(secret.encode(), frozenset(row.origins.split()))
    origins = frozenset().union(*(site.origins for site in sites.values()))
    return _Known(sites, origins, time.monotonic() + FRESH_FOR)


def _contact(customer: str) -> int:
    """Remembered until something changes for everybody, as it does when contacts come, go or change."""
    global _customers, _customers_as_of
    as_of = stamps.stamp()
    if as_of != _customers_as_of or len(_customers) > MOST_REMEMBERED:
        _customers, _customers_as_of = {}, as_of
    remembered = _customers
    if customer not in remembered:
        remembered[customer] = _looked_up(customer)
    return remembered[customer]


def _looked_up(customer: str) -> int:
    form, _colon, name = customer.partition(":")
    people = Contact.objects.order_by("id").values_list("id", flat=True)
    if "\0" in name:
        return 0
    if form == "mail":
        return people.filter(address_key=addresses.key_of(name)).first() or 0
    if form == "ref" and name:
        # Said twice so that the index, which leaves out the many without a reference, is used.
        return people.exclude(reference="").filter(reference=name).first() or 0
    if form == "id" and name.isascii() and name.isdigit() and len(name) < 19:
        return people.filter(id=int(name)).first() or 0
    return 0
