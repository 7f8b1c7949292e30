"""`envoi bench dkim`: how many messages one core signs in a second, with each kind of key, and how many times OpenSSL
makes the signature alone, in turns: no signer can be faster than that.

Every signature is verified before a figure is printed, and one changed message must be refused: what was not signed
well counts for nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime
from typing import Any

from envoi.cli import crew
from envoi.cli.faults import Stop
from envoi.delivery.dkim import Signer, keypairs
from envoi.delivery.dkim.signing import SigningKey
from envoi.delivery.dkim.verifying import verify
from envoi.delivery.models import DkimKey

# Few at a time, as an engine does: keeping all would measure how fast memory is had from the system.
BATCH = 50
NAMES = ("Ada", "Chloé", "Дмитрий", "結衣", "ليلى", "Åsa")
HEAD = """\
Message-ID: <{number:016x}.5f1d2c3b4a596877@example.org>
Date: Sat, 21 Nov 2026 02:00:00 +0000
From: Envoi <news@example.org>
To: {name} <reader{number}@example.net>
Subject: News for {name}
MIME-Version: 1.0
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: 8bit
List-Unsubscribe: <https://example.org/u/{number:040x}>,
 <mailto:news@example.org?subject=unsubscribe>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
List-Id: "Friends" <friends.example.org>
Feedback-ID: 5f1d2c3b4a596877:friends:broadcast:envoi
Precedence: bulk

"""
LINE = '        <p>Dear {name}, this is what happened: <a href="https://example.org/c/{number:040x}">read on</a></p>\n'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--messages", type=crew.at_least_one, default=2000, help="default: 2000")
    parser.add_argument("--size", type=crew.at_least_one, default=20_480, help="bytes of each (default: 20480)")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON, and nothing else")


def run(args: argparse.Namespace) -> int:
    pairs = {str(algorithm): keypairs.make(algorithm) for algorithm in DkimKey.Algorithm}
    numbers = {"messages": args.messages, "size": len(letter(0, args.size))}
    found = {name: measured(*pair, args.messages, args.size) for name, pair in pairs.items()}
    print_numbers(numbers | found, as_json=args.json)
    return 0


def letter(number: int, size: int) -> bytes:
    """The message to one reader: HTML of about `size` bytes, indented as people write it."""
    name = NAMES[number % len(NAMES)]
    head, line = (text.format(name=name, number=number).replace("\n", "\r\n").encode() for text in (HEAD, LINE))
    return head + line * max(1, round((size - len(head)) / len(line)))


def measured(private: str, public: str, count: int, size: int) -> dict[str, Any]:
    """Sign `count` messages of `size` bytes with one key; only the signing is counted, in CPU time.

    Raises:
        Stop: a signature is not good, or one of another message is.
    """
    key: SigningKey = keypairs.signing_key("example.org", "bench", private)
    signer, at = Signer(lambda domain: [key]), datetime.now(UTC)
    seconds, alone, good = 0.0, 0.0, 0
    for start in range(0, count, BATCH):
        messages = [letter(number, size) for number in range(start, min(start + BATCH, count))]
        began = time.process_time()
        signed = [signer.sign(message, at) for message in messages]
        between = time.process_time()
        for number in range(start, start + len(messages)):
            key.sign(number.to_bytes(32))
        seconds += between - began
        alone += time.process_time() - between
        good += sum(verify(message, public) for message in signed)
    if good != count or verify(signed[0] + b"One line more.\r\n", public):
        raise Stop(f"{key.algorithm}: {good:,} of {count:,} signatures are good; the figures mean nothing.")
    return {
        "per_second": round(count / seconds),
        "microseconds": round(seconds / count * 1e6, 1),
        "signature_alone_per_second": round(count / alone),
        "verified": good,
    }


def print_numbers(numbers: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(numbers, indent=2))
        return
    print(f"{numbers['messages']:,} messages of {numbers['size']:,} bytes, on one core, by CPU time:")
    for algorithm in DkimKey.Algorithm:
        found = numbers[algorithm]
        print(
            f"  {algorithm.label!s:16} {found['per_second']:>8,} messages/s, {found['microseconds']:>6.1f} µs each, "
            f"{found['verified']:,} verified; the signature alone {found['signature_alone_per_second']:,}/s"
        )
