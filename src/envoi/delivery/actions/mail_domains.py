"""Find out which providers receive the mail of a mailing's domains, so that their limits can be kept together."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from envoi.core import clock
from envoi.core.tasks import later
from envoi.delivery.limits.providers import provider_of
from envoi.delivery.models import MailDomain, Mailing
from envoi.delivery.queries.mail_domains import forget, unknown_domains
from envoi.delivery.queries.sending import RESERVED

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

AT_ONCE = 1000


def look_up_domains(mailing: Mailing, resolver: Resolver | None = None) -> int:
    """Ask the DNS about domains that are not known yet; how many are known now. More than some go in turns."""
    asked = [name for name in unknown_domains(mailing, AT_ONCE) if _is_public(name)]
    # Eleven megabytes and a fifth of a second of modules, which senders shall not carry about.
    found = importlib.import_module("envoi.delivery.limits.mx").look_up(asked, resolver) if asked else {}
    now = clock.now()
    rows = [
        MailDomain(
            name=name, provider=provider_of(name, records), mx=min(records, default=(0, ""))[1][:253], checked_at=now
        )
        for name, records in sorted(found.items())
    ]
    MailDomain.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["provider", "mx", "checked_at"],
        batch_size=500,
    )
    if rows:
        forget()
    # Not when most were not answered: they would be asked again and again.
    if len(asked) == AT_ONCE and len(rows) > AT_ONCE // 2:
        later("delivery.look_up_domains", mailing_id=mailing.pk)
    return len(rows)


def _is_public(domain: str) -> bool:
    return "." in domain and not any(domain == name or domain.endswith(f".{name}") for name in RESERVED)
