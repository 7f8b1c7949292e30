"""Signed messages, read by dkimpy and by ourselves."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envoi.delivery.dkim.signing import Signer, from_domain
from envoi.delivery.dkim.tests.messages import (
    AT,
    BODY,
    ED25519,
    HEAD,
    MESSAGE,
    RSA,
    key,
    only,
    pair,
    signer,
    txt,
    verified,
)
from envoi.delivery.dkim.tests.test_canonical import BODIES
from envoi.delivery.dkim.verifying import verify


@pytest.mark.parametrize("algorithm", [RSA, ED25519])
def test_a_receiver_holds_the_signature_for_good(algorithm: str) -> None:
    signed = signer(algorithm).sign(MESSAGE, AT)
    assert verified(signed, txt(algorithm)) == [True]
    assert verify(signed, pair(algorithm)[1])
    assert signed.endswith(MESSAGE)


def test_with_two_keys_both_sign_and_neither_covers_the_other() -> None:
    signed = signer(RSA, ED25519).sign(MESSAGE, AT)
    assert verified(signed, txt(RSA, ED25519)) == [True, True]
    assert re.findall(rb"a=(\S+);", signed) == [b"rsa-sha256", b"ed25519-sha256"]
    rsa, ed25519 = signer(RSA).sign(MESSAGE, AT), signer(ED25519).sign(MESSAGE, AT)
    assert signed == rsa.removesuffix(MESSAGE) + ed25519


def test_every_attempt_is_the_same_message_and_only_the_time_makes_another() -> None:
    by = signer(RSA, ED25519)
    assert by.sign(MESSAGE, AT) == signer(RSA, ED25519).sign(MESSAGE, AT) == by.sign(MESSAGE, AT + timedelta(0, 0, 9))
    later = by.sign(MESSAGE, AT + timedelta(seconds=1))
    assert b"t=1795226401;" in later
    assert b"t=1795226400;" in by.sign(MESSAGE, AT)
    assert verified(later, txt(RSA, ED25519)) == [True, True]


CHANGED = {
    "another subject": MESSAGE.replace(b"_the_news", b"_bad_news"),
    "another unsubscribe link": MESSAGE.replace(b"/u/abc", b"/u/abd"),
    "another sender": MESSAGE.replace(b"news@example.org>\r\nTo", b"evil@example.org>\r\nTo"),
    "another word": MESSAGE.replace(b"indented", b"invented"),
    "a second From": MESSAGE.replace(b"From:", b"From: evil@example.com\r\nFrom:", 1),
    "a second Subject below": MESSAGE.replace(b"Feedback-ID", b"Subject: evil\r\nFeedback-ID"),
    "a second To": b"To: evil@example.com\r\n" + MESSAGE,
    "a first Cc": b"Cc: evil@example.com\r\n" + MESSAGE,
    "a first Reply-To": MESSAGE.replace(b"MIME-Version", b"Reply-To: evil@example.com\r\nMIME-Version"),
    "one more line": MESSAGE + b"Buy!\r\n",
}


@pytest.mark.parametrize("change", list(CHANGED))
def test_what_is_changed_on_the_way_is_noticed(change: str) -> None:
    signatures = signer(ED25519).sign(MESSAGE, AT).removesuffix(MESSAGE)
    assert verified(signatures + MESSAGE, txt(ED25519)) == [True]
    assert verified(signatures + CHANGED[change], txt(ED25519)) == [False]
    assert not verify(signatures + CHANGED[change], pair(ED25519)[1])


def test_what_relays_do_to_a_message_does_not_break_it() -> None:
    signatures = signer(ED25519).sign(MESSAGE, AT).removesuffix(MESSAGE)
    refolded = HEAD.replace(b"\r\n\t<mailto", b" <mailto").replace(b"Feedback-ID: a", b"feedback-id:\r\n  a")
    unfolded = signatures.replace(b"\r\n ", b" ")
    stripped = BODY.replace(b"line  \r\n", b"line\r\n").removesuffix(b"\r\n\r\n")
    arrived = b"Received: by relay.example.com\r\n" + unfolded + refolded + b"\r\n" + stripped + b"\r\n"
    assert verified(arrived, txt(ED25519)) == [True]
    assert verify(arrived, pair(ED25519)[1])


@pytest.mark.parametrize("domain", ["example.org", "a." * 20 + "example.org", "x" * 60 + ("." + "y" * 60) * 3])
def test_the_field_is_folded_where_it_can_be(domain: str) -> None:
    for algorithm in (RSA, ED25519):
        used = key(algorithm, domain, "s" * 63)
        message = MESSAGE.replace(b"news@example.org>\r\n", f"news@{domain}>\r\n".encode(), 1)
        signed = only(used).sign(message, AT)
        lines = signed.removesuffix(message).decode().split("\r\n")
        assert lines.pop() == ""
        assert lines[0].startswith("DKIM-Signature: v=1; ")
        assert all(re.match(r"\s\S", line) for line in lines[1:])
        too_long = [line for line in lines if len(line) > 78]
        assert [line.strip() for line in too_long] == ([f"d={domain};"] if len(domain) > 74 else [])
        record = {f"{'s' * 63}._domainkey.{domain}": f"v=DKIM1; k={algorithm}; p={pair(algorithm)[1]}"}
        assert verified(signed, record) == [True]


NAMES = ["Subject", "To", "X-Other", "Reply-To", "List-Id", "Content-Type", "Received", "subject", "In-Reply-To"]
LINES = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.text("aZ \t;:=<>é結,\"'%", max_size=200).map(lambda text: text.replace("\t", "\r\n\t").strip()),
    ),
    max_size=12,
)


@given(LINES, BODIES, st.integers(0, 12))
def test_odd_messages_verify_all_the_same(lines: list[tuple[str, str]], body: bytes, place: int) -> None:
    # dkimpy takes a lone LF for the end of a line; on the way there is none.
    body = re.sub(rb"\r?\n", b"\r\n", body.replace(b"\r", b"")) + b"\r\n"
    lines.insert(place, ("From", "Åsa <news@example.org>"))
    # A folded line of nothing but blanks ends the header for some; no composer writes one.
    head = "".join(re.sub(r"(\r\n\s*)+\r\n|\r\n\t$", "\r\n\t.", f"{name}: {value}") + "\r\n" for name, value in lines)
    message = head.encode() + b"\r\n" + body
    signed = signer(ED25519).sign(message, AT)
    assert verify(signed, pair(ED25519)[1])
    assert verified(signed, txt(ED25519)) == [True]


@pytest.mark.parametrize(
    "message",
    [
        MESSAGE.replace(b"news@example.org>\r\nTo", b"news@example.com>\r\nTo"),
        MESSAGE.replace(b"news@example.org>\r\nTo", b"news@sub.example.org>\r\nTo"),
        MESSAGE.replace(b"From:", b"X-From:"),
        MESSAGE.replace(b"From:", b"From: ada@example.org\r\nFrom:"),
        MESSAGE.replace(b"From:", b"From: ada@example.org,"),
        MESSAGE.replace(b"<news@example.org>\r\nTo", b"news\r\nTo"),
        b"no header",
        b"",
    ],
)
def test_messages_of_others_or_of_nobody_stay_as_they_are(message: bytes) -> None:
    assert signer(RSA, ED25519).sign(message, AT) == message


@pytest.mark.parametrize(
    ("field", "domain"),
    [
        (b"from:ada@example.org", "example.org"),
        (b'from:"Ada, of <b@example.com>" <ada@Example.ORG>', "example.org"),
        ("from:Åsa <åsa@münchen.example>".encode(), "xn--mnchen-3ya.example"),
        (b"from:news@xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
        (b"from:", ""),
        (b"from:Ada", ""),
        (b"from:\xff@", ""),
    ],
)
def test_the_domain_is_that_of_the_address_and_not_of_the_name(field: bytes, domain: str) -> None:
    assert from_domain(field) == domain


def test_the_keys_of_a_sender_are_asked_for_once() -> None:
    asked = []
    by = Signer(lambda domain: asked.append(domain) or [])  # type: ignore[func-returns-value]
    for _ in range(3):
        by.sign(MESSAGE, AT)
    assert asked == ["example.org"]


def test_the_header_of_a_message_without_a_body_is_signed() -> None:
    signed = signer(RSA).sign(HEAD, AT)
    # The body hash of nothing (RFC 6376 §3.4.4).
    assert b"bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;" in signed
    assert verified(signer(RSA).sign(HEAD + b"\r\n", AT), txt(RSA)) == [True]
