"""Messages to sign and keys to sign with, each made once: RSA keys take a while."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

import dkim as dkimpy

from envoi.delivery.dkim import keypairs
from envoi.delivery.dkim.signing import Signer, SigningKey
from envoi.delivery.models import DkimKey

AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
RSA, ED25519 = DkimKey.Algorithm.RSA, DkimKey.Algorithm.ED25519

HEAD = """\
Message-ID: <1.2@example.org>
Date: Sat, 21 Nov 2026 02:00:00 +0000
From: =?utf-8?q?Chlo=C3=A9?= <news@example.org>
To: Ada <ada@example.net>
Subject: =?utf-8?q?H=C3=A4r_=C3=A4r?=
 =?utf-8?q?_the_news?=
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: 8bit
List-Unsubscribe: <https://example.org/u/abc>,
\t<mailto:news@example.org?subject=unsubscribe>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
List-Id: "Friends" <friends.example.org>
Feedback-ID: a:b:c:envoi
""".replace("\n", "\r\n").encode()
BODY = "Dear Ada,\r\n\r\n    an indented line  \r\n\tand Ж\r\n\r\n\r\n".encode()
MESSAGE = HEAD + b"\r\n" + BODY


@cache
def pair(algorithm: str, number: int = 0) -> tuple[str, str]:
    return keypairs.make(algorithm)


def key(algorithm: str, domain: str = "example.org", selector: str = "") -> SigningKey:
    return keypairs.signing_key(domain, selector or algorithm, pair(algorithm)[0])


def signer(*algorithms: str) -> Signer:
    """Of example.org, each key under the name of its algorithm."""
    keys = [key(algorithm) for algorithm in algorithms]
    return Signer(lambda domain: keys if domain == "example.org" else ())


def only(key: SigningKey) -> Signer:
    """Signs with one key, whatever the domain."""
    return Signer(lambda domain: [key])


def txt(*algorithms: str) -> dict[str, str]:
    """What DNS holds for them."""
    return {f"{name}._domainkey.example.org": f"v=DKIM1; k={name}; p={pair(name)[1]}" for name in algorithms}


def verified(message: bytes, records: Mapping[str, str]) -> list[bool]:
    """Which signatures of the message dkimpy holds for good, from the top."""

    def found(name: bytes, timeout: int = 5) -> bytes:
        return records.get(name.decode().rstrip("."), "").encode()

    reader = dkimpy.DKIM(message, logger=logging.getLogger("dkimpy"))
    count = sum(1 for name, _value in reader.headers if name.lower() == b"dkim-signature")
    results = []
    for index in range(count):
        try:
            results.append(bool(dkimpy.DKIM(message).verify(idx=index, dnsfunc=found)))
        except dkimpy.DKIMException:
            results.append(False)
    return results
