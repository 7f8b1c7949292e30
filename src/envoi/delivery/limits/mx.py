"""Ask the DNS who receives the mail of domains (RFC 5321 §5.1), many at once, in bounded time.

Only names of domains leave this machine, to the resolver that it is configured with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import dns.asyncresolver
import dns.exception
import dns.resolver
from dns.rdtypes.ANY.MX import MX

AT_ONCE = 20
SECONDS_EACH = 5.0
SECONDS_IN_ALL = 60.0

Records = list[tuple[int, str]]


def look_up(domains: Collection[str], resolver: dns.asyncresolver.Resolver | None = None) -> dict[str, Records]:
    """The MX records of each domain as (preference, host); [] of one that surely has none.

    Domains of which nothing could be found out in time are left out. Without a `resolver`, the machine's own is asked.
    """
    try:
        asked = resolver or dns.asyncresolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return {}
    return asyncio.run(_look_up(domains, asked))


async def _look_up(domains: Collection[str], resolver: dns.asyncresolver.Resolver) -> dict[str, Records]:
    found: dict[str, Records] = {}
    turn = asyncio.Semaphore(AT_ONCE)

    async def ask(domain: str) -> None:
        async with turn:
            records = await _records(domain, resolver)
        if records is not None:
            found[domain] = records

    asking = [asyncio.create_task(ask(domain)) for domain in domains]
    if asking:
        _done, late = await asyncio.wait(asking, timeout=SECONDS_IN_ALL)
        for task in late:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    return found


async def _records(domain: str, resolver: dns.asyncresolver.Resolver) -> Records | None:
    try:
        answer = await resolver.resolve(domain, "MX", lifetime=SECONDS_EACH)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError, UnicodeError):
        return None
    return [(record.preference, record.exchange.to_text().rstrip(".")) for record in answer if isinstance(record, MX)]
