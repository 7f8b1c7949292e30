"""`envoi bench dkim`: nothing is counted that a receiver would refuse."""

from __future__ import annotations

import argparse
import json

import pytest

from envoi.cli.bench import signing
from envoi.cli.faults import Stop
from envoi.delivery.dkim import keypairs

NUMBERS = {"per_second", "microseconds", "signature_alone_per_second", "verified"}


def bench(*given: str) -> int:
    parser = argparse.ArgumentParser()
    signing.add_arguments(parser)
    return signing.run(parser.parse_args(given))


def test_both_algorithms_sign_what_then_verifies(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("--messages", "60", "--size", "2560", "--json") == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["messages"] == 60
    assert abs(numbers["size"] - 2560) < 150
    assert numbers["rsa"].keys() == numbers["ed25519"].keys() == NUMBERS
    assert (numbers["rsa"]["verified"], numbers["ed25519"]["verified"]) == (60, 60)
    # Of RSA's the signature is nearly all, too near to be told apart with sixty; of Ed25519's a third.
    assert numbers["rsa"]["per_second"] < 2 * numbers["rsa"]["signature_alone_per_second"]
    assert numbers["ed25519"]["per_second"] < numbers["ed25519"]["signature_alone_per_second"]


def test_the_words_name_both(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("--messages", "2") == 0
    first, rsa, ed25519 = capsys.readouterr().out.splitlines()
    assert first.startswith("2 messages of 20,")
    assert rsa.strip().startswith("RSA (2048 bits)")
    assert ed25519.strip().startswith("Ed25519")


def test_signatures_that_do_not_verify_are_no_figure() -> None:
    private, _public = keypairs.make("ed25519")
    _private, another = keypairs.make("ed25519")
    with pytest.raises(Stop, match="0 of 3 signatures are good"):
        signing.measured(private, another, 3, 2560)
