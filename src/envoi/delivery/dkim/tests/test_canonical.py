"""The relaxed form, against the examples of the RFC and against dkimpy over whatever hypothesis thinks of."""

from __future__ import annotations

import pytest
from dkim.canonicalization import Relaxed
from hypothesis import given
from hypothesis import strategies as st

from envoi.delivery.dkim import canonical


def test_the_example_of_the_rfc() -> None:
    """RFC 6376 §3.4.5."""
    head = b"A: X\r\nB : Y\t\r\n\tZ  \r\n"
    assert canonical.headers(head) == [(b"a", b"a:X"), (b"b", b"b:Y Z")]
    assert canonical.body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"


@pytest.mark.parametrize(
    ("written", "relaxed"),
    [
        (b"", b""),
        (b"\r\n", b""),
        (b"\r\n\r\n\r\n", b""),
        (b" \t\r\n \r\n", b""),
        (b" ", b""),
        (b"end", b"end\r\n"),
        (b"end ", b"end\r\n"),
        (b"end \t\t \r\n \r\n\t", b"end\r\n"),
        (b"a\r\n\r\nb\r\n", b"a\r\n\r\nb\r\n"),
        (b"lone cr\r\r\n\r\n", b"lone cr\r\r\n"),
        (b"lone lf\n\n\r\n\r\n", b"lone lf\n\n\r\n"),
        (b" " * 37 + b"deep" + b" " * 18 + b"\r\n", b" deep\r\n"),
        ("\u00a0 nbsp is no blank\u00a0\r\n".encode(), "\u00a0 nbsp is no blank\u00a0\r\n".encode()),
    ],
)
def test_bodies_at_the_edge(written: bytes, relaxed: bytes) -> None:
    assert canonical.body(written) == relaxed


PIECES = st.sampled_from(
    [b" ", b"\t", b"\r\n", b"\r\n\r\n", b"  ", b" \t ", b" " * 17, b"x", b"=20", b"\r", b"\n", b"\xc3\xa9", b".", b"\0"]
)
BODIES = st.lists(PIECES, max_size=60).map(b"".join)


@given(BODIES)
def test_bodies_agree_with_dkimpy(written: bytes) -> None:
    # As SMTP carries it: what does not end a line is given the end by the client. Both are asked about that.
    whole = written if not written or written.endswith(b"\r\n") else written + b"\r\n"
    assert canonical.body(whole) == Relaxed.canonicalize_body(whole)
    assert canonical.body(written) == canonical.body(whole)


VALUES = st.lists(st.sampled_from([b" ", b"\t", b"\r\n ", b"\r\n\t", b"a", b"B", b":", b";", b"\xd0\x96"]), max_size=40)


@given(st.lists(st.tuples(st.sampled_from([b"From", b"sUBJECT", b"X-Y", b"To"]), VALUES.map(b"".join)), max_size=8))
def test_headers_agree_with_dkimpy(written: list[tuple[bytes, bytes]]) -> None:
    head = b"".join(name + b":" + value + b"\r\n" for name, value in written)
    theirs = Relaxed.canonicalize_headers([(name, value + b"\r\n") for name, value in written])
    assert canonical.headers(head) == [(name, name + b":" + value.removesuffix(b"\r\n")) for name, value in theirs]
