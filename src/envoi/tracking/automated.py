"""Whether a person or a machine opened or clicked: a label on what happened, computed from stored facts only.

Pure. The label can be computed again at any time with better rules (`actions.relabel`); nothing is ever dropped
because of it. Two families: a *machine* acted without a reader (scanner, prefetch); a *proxy* fetched for a reader who
very probably did open, but whose place, device and repeated opens it hides. People are counted without machines.

Sources: Apple Mail Privacy Protection fetches every picture on arrival under the bare name "Mozilla/5.0"; Gmail and
Yahoo fetch through proxies that name themselves; link scanners name themselves, send HEAD, follow several links at
once, or come within a second of the delivery.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HEAD = "head"
NO_AGENT = "no_agent"
SCANNER = "scanner"
APPLE_PRIVACY = "apple_privacy"
TOO_FAST = "too_fast"
MANY_LINKS = "many_links"
GOOGLE_PROXY = "google_proxy"
YAHOO_PROXY = "yahoo_proxy"

MACHINES = (HEAD, NO_AGENT, SCANNER, APPLE_PRIVACY, TOO_FAST, MANY_LINKS)
PROXIES = (GOOGLE_PROXY, YAHOO_PROXY)

PROXY_AGENTS = {
    "googleimageproxy": GOOGLE_PROXY,
    "ggpht.com": GOOGLE_PROXY,
    "yahoomailproxy": YAHOO_PROXY,
    "yahoocachesystem": YAHOO_PROXY,
}
# Parts of the names of programs that fetch addresses without a reader, in lower case; Cubot is a maker of telephones.
SCANNER_AGENTS = re.compile(
    r"(?<!cu)bot|crawler|spider|scanner|preview|python-|python/|aiohttp|httpx|curl/|wget/|"
    r"go-http-client|java/|okhttp|libwww-perl|headlesschrome|phantomjs|barracuda|proofpoint|mimecast|"
    r"symantec|safelinks|trendmicro|fireeye|forcepoint|sophos|virustotal|bitdefender|"
    r"facebookexternalhit|slack-imgproxy|skypeuripreview"
)
# Nobody reads a message and acts on it within a second of its acceptance by the receiving server.
FASTEST_READER = timedelta(seconds=1)
# Nobody follows three links of one message within two seconds.
MANY, TOGETHER = 3, timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Fact:
    """One hit as it was stored.

    Attributes:
        link_id: None for an open.
        sent_at: when the message was accepted by the receiving server, as far as known.
    """

    at: datetime
    link_id: int | None
    method: str
    user_agent: str
    sent_at: datetime | None


def labels(facts: Sequence[Fact]) -> list[str]:
    """One label for each of `facts`, "" for a person's; all must be of one message and in order of time."""
    crowded = _crowded(facts)
    return [alone(fact) or (MANY_LINKS if index in crowded else "") for index, fact in enumerate(facts)]


def alone(fact: Fact) -> str:
    """The label that a hit earns by itself."""
    agent = fact.user_agent.strip().lower()
    fast = fact.sent_at is not None and fact.at < fact.sent_at + FASTEST_READER
    if fact.method == "HEAD":
        return HEAD
    if not agent:
        return NO_AGENT
    if agent == "mozilla/5.0":
        return APPLE_PRIVACY
    if fast:
        return TOO_FAST
    for part, label in PROXY_AGENTS.items():
        if part in agent:
            return label
    return SCANNER if SCANNER_AGENTS.search(agent) else ""


def _crowded(facts: Sequence[Fact]) -> set[int]:
    """The places of the clicks that stand among clicks on `MANY` different links within `TOGETHER`."""
    clicks = [index for index, fact in enumerate(facts) if fact.link_id is not None]
    found: set[int] = set()
    links: Counter[int | None] = Counter()
    first = marked = 0
    for last, index in enumerate(clicks):
        links[facts[index].link_id] += 1
        while facts[index].at - facts[clicks[first]].at > TOGETHER:
            links -= Counter([facts[clicks[first]].link_id])
            first += 1
        if len(links) >= MANY:
            found.update(clicks[max(first, marked) : last + 1])
            marked = last + 1
    return found


def network(address: str) -> str:
    """The network an address belongs to (IPv4 /24, IPv6 /48), all that is kept of it; "" of what is no address.

    A network tells machines from people as well as the address does, and names nobody.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    width = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network(f"{parsed}/{width}", strict=False).network_address)
