"""Who receives the mail of a domain: from the name of its mail server to the provider whose limits count.

Thousands of domains are kept by a few providers, who count what arrives for all of them together.
"""

from __future__ import annotations

from collections.abc import Sequence

# Mail servers by the end of their names → the provider, in the words that people know it by.
BY_MX = {
    "google.com": "google.com",
    "googlemail.com": "google.com",
    "smtp.goog": "google.com",
    "outlook.com": "outlook.com",
    "mx.microsoft": "outlook.com",
    "hotmail.com": "outlook.com",
    "office365.us": "outlook.com",
    "yahoodns.net": "yahoo.com",
    "yahoo.co.jp": "yahoo.co.jp",
    "mail.icloud.com": "icloud.com",
    "apple.com": "icloud.com",
    "protonmail.ch": "proton.me",
    "proton.ch": "proton.me",
    "orange.fr": "orange.fr",
    "wanadoo.fr": "orange.fr",
    "laposte.net": "laposte.net",
    "free.fr": "free.fr",
    "sfr.fr": "sfr.fr",
    "telia.com": "telia.com",
    "telenor.se": "telenor.se",
    "telenet-ops.be": "telenet.be",
    "telenet.be": "telenet.be",
    "proximus.be": "proximus.be",
    "skynet.be": "proximus.be",
    "kpnmail.nl": "kpn.com",
    "ziggo.nl": "ziggo.nl",
    "gmx.net": "gmx.net",
    "web.de": "gmx.net",
    "kundenserver.de": "ionos.com",
    "ionos.com": "ionos.com",
    "perfora.net": "ionos.com",
    "t-online.de": "t-online.de",
    "ovh.net": "ovh.net",
    "gandi.net": "gandi.net",
    "one.com": "one.com",
    "loopia.se": "loopia.se",
    "zoho.com": "zoho.com",
    "zoho.eu": "zoho.com",
    "zohomail.com": "zoho.com",
    "messagingengine.com": "fastmail.com",
    "yandex.ru": "yandex.ru",
    "yandex.net": "yandex.ru",
    "mail.ru": "mail.ru",
    "comcast.net": "comcast.net",
    "pphosted.com": "pphosted.com",
    "ppe-hosted.com": "pphosted.com",
    "mimecast.com": "mimecast.com",
    "mimecast.co.za": "mimecast.com",
    "barracudanetworks.com": "barracudanetworks.com",
    "iphmx.com": "iphmx.com",
    "messagelabs.com": "messagelabs.com",
    "secureserver.net": "secureserver.net",
    "emailsrvr.com": "emailsrvr.com",
    "qq.com": "qq.com",
    "163.com": "163.com",
    "netease.com": "163.com",
}

_OF_PROVIDERS = {
    "google.com": "gmail.com googlemail.com",
    "outlook.com": (
        "outlook.com outlook.fr outlook.be outlook.de hotmail.com hotmail.fr hotmail.be hotmail.nl hotmail.se "
        "hotmail.co.uk hotmail.de hotmail.it hotmail.es live.com live.fr live.be live.nl live.se live.co.uk msn.com"
    ),
    "yahoo.com": (
        "yahoo.com yahoo.fr yahoo.de yahoo.co.uk yahoo.es yahoo.it yahoo.se yahoo.ca ymail.com rocketmail.com aol.com "
        "aol.de aol.fr aol.co.uk aim.com"
    ),
    "yahoo.co.jp": "yahoo.co.jp",
    "icloud.com": "icloud.com me.com mac.com",
    "proton.me": "proton.me protonmail.com protonmail.ch pm.me",
    "orange.fr": "orange.fr wanadoo.fr",
    "laposte.net": "laposte.net",
    "free.fr": "free.fr",
    "sfr.fr": "sfr.fr neuf.fr",
    "telia.com": "telia.com",
    "telenet.be": "telenet.be",
    "proximus.be": "proximus.be skynet.be belgacom.net",
    "kpn.com": "kpnmail.nl planet.nl hetnet.nl",
    "ziggo.nl": "ziggo.nl upcmail.nl home.nl",
    "gmx.net": "gmx.net gmx.de gmx.at gmx.ch gmx.com web.de",
    "t-online.de": "t-online.de magenta.de",
    "fastmail.com": "fastmail.com fastmail.fm",
    "yandex.ru": "yandex.ru yandex.com ya.ru",
    "mail.ru": "mail.ru bk.ru inbox.ru list.ru",
    "comcast.net": "comcast.net",
    "zoho.com": "zoho.com zohomail.com zoho.eu",
    "qq.com": "qq.com foxmail.com",
    "163.com": "163.com 126.com",
}
# Known without asking anybody.
WELL_KNOWN = {domain: provider for provider, domains in _OF_PROVIDERS.items() for domain in domains.split()}

# Where the registered part of a name has three labels. The few that keep mail servers; a name that is cut too short
# would throw strangers together, one cut too long only keeps a provider's servers apart.
_SECOND_LEVEL = frozenset(
    {"ac", "co", "com", "edu", "gob", "gouv", "gov", "ltd", "me", "ne", "net", "nom", "or", "org"}
)


def provider_of(domain: str, mx: Sequence[tuple[int, str]]) -> str:
    """The provider behind a domain whose MX records are `mx` (preference, host); the domain itself when it has none.

    The record of the lowest preference decides (RFC 5321 §5.1); among equals the first by name, so that it is the same
    each time.
    """
    if domain in WELL_KNOWN:
        return WELL_KNOWN[domain]
    hosts = sorted((preference, host.lower().rstrip(".")) for preference, host in mx)
    # RFC 7505: a null MX says that the domain takes no mail.
    return group_of(hosts[0][1]) if hosts and hosts[0][1] else domain


def group_of(host: str) -> str:
    """The provider whose mail server `host` is: of the table, else the registered part of the name."""
    labels = host.split(".")
    for first in range(len(labels) - 1):
        known = BY_MX.get(".".join(labels[first:]))
        if known:
            return known
    return registered_part(host)


def registered_part(host: str) -> str:
    """What somebody registered: example.co.uk of mx1.mail.example.co.uk."""
    labels = host.split(".")
    long = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3:] if long else labels[-2:])


def domain_of(address_key: str) -> str:
    """The domain of an address as it is compared."""
    return address_key.rpartition("@")[2]
