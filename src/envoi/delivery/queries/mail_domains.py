"""Which provider receives the mail of a domain, as far as it is known, and of which domains it should be found out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db.models import F, Value
from django.db.models.functions import StrIndex, Substr

from envoi.core import clock
from envoi.delivery.limits.providers import WELL_KNOWN
from envoi.delivery.models import MailDomain, Mailing
from envoi.delivery.queries.ranges import rows_of

KNOWN_FOR = timedelta(days=30)
MOST_REMEMBERED = 200_000
# Rows of the ledger whose domains are read at once.
STRIDE = 20_000

# Per process: what was found out once holds for weeks. Domains that nobody knows are not kept, they may be known soon.
_known: dict[str, str] = {}


def groups(domains: Iterable[str]) -> dict[str, str]:
    """The provider of each domain; the domain itself where none is known. At most one statement."""
    found = {domain: WELL_KNOWN.get(domain) or _known.get(domain) or "" for domain in domains}
    missing = [domain for domain, provider in found.items() if not provider]
    if missing:
        rows = dict(MailDomain.objects.filter(name__in=missing).values_list("name", "provider"))
        if len(_known) + len(rows) > MOST_REMEMBERED:
            _known.clear()
        _known.update(rows)
        found |= {domain: rows.get(domain, domain) for domain in missing}
    return found


def forget() -> None:
    """Read everything anew. For tests, and for those who have just learned something."""
    _known.clear()


def unknown_domains(mailing: Mailing, most: int) -> list[str]:
    """Up to `most` domains of a mailing's addresses whose provider is not known or was found out long ago.

    Reads the ledger in strides, so that no statement takes long however many recipients there are.
    """
    found: set[str] = set()
    for first in range(mailing.first_id, mailing.last_id + 1, STRIDE):
        part = rows_of(mailing, first, first + STRIDE - 1)
        domains = set(part.order_by().values_list(_domain(), flat=True).distinct())
        found |= _not_known(domains - found, clock.now() - KNOWN_FOR)
        if len(found) >= most:
            break
    return sorted(found)[:most]


def _domain() -> Substr:
    """What stands after the @ of an address as it is compared; a local part that holds one is in quotes and rare."""
    return Substr("address_key", StrIndex(F("address_key"), Value("@")) + 1)


def _not_known(domains: Collection[str], since: datetime) -> set[str]:
    names = {name for name in domains if name not in WELL_KNOWN}
    fresh: set[str] = set()
    listed = sorted(names)
    for at in range(0, len(listed), 500):
        fresh |= set(
            MailDomain.objects.filter(name__in=listed[at : at + 500], checked_at__gte=since).values_list(
                "name", flat=True
            )
        )
    return names - fresh
