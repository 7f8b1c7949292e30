"""Bodies as they go over the wire: quoted-printable or base64, joined to multipart/alternative (RFC 2045, RFC 2046).

A text comes as *runs*: fixed stretches and, between them, values. In quoted-printable each run is encoded by itself and
a value always stands between two soft line breaks, so fixed runs are encoded once and values never lengthen a line.

Guarantee: whatever the text, its lines end in CRLF, no other CR, LF or zero byte is in them and none begins with a dot
(RFC 2049 §3 advises it for gateways; SMTP doubles such dots); who sends them does not look again.
"""

from __future__ import annotations

from binascii import b2a_base64, b2a_qp
from collections.abc import Sequence
from functools import lru_cache

SOFT_BREAK = b"=\r\n"
LONGEST_LINE = 76
# "=" never stands bare in quoted-printable nor "_" in base64: this can be no line of an encoded body.
BOUNDARY = "=_envoi_alternative"


def quoted_printable(text: str) -> bytes:
    """`text` in quoted-printable, lines of at most 76, line feeds as CRLF; room is left for a soft break at its end."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [_encoded(line) for line in text.split("\n")]
    return b"\r\n".join([*lines[:-1], _with_room(lines[-1])])


def _encoded(line: str) -> bytes:
    encoded = b2a_qp(line.encode(), istext=True).replace(b"\n", b"\r\n")
    if not encoded.startswith(b".") and b"\r\n." not in encoded:
        return encoded
    return b"\r\n".join(map(_without_dot, encoded.split(b"\r\n")))


def _without_dot(line: bytes) -> bytes:
    """A line that begins with a dot with that encoded; what has no room then goes to a line of its own."""
    if not line.startswith(b"."):
        return line
    line = b"=2E" + line[1:]
    if len(line) <= LONGEST_LINE:
        return line
    cut = LONGEST_LINE - 1
    # An encoded byte stays whole.
    cut -= next((back for back in (1, 2) if line[cut - back : cut - back + 1] == b"="), 0)
    return line[:cut] + SOFT_BREAK + _without_dot(line[cut:])


def _with_room(line: bytes) -> bytes:
    start = line.rfind(b"\n") + 1
    if len(line) - start < LONGEST_LINE:
        return line
    cut = len(line) - (3 if line[-3:-2] == b"=" else 1)
    return line[:cut] + SOFT_BREAK + line[cut:]


def value_line(value: str) -> bytes:
    """A value in quoted-printable with the soft break that closes it; the caller puts one before it."""
    line = b2a_qp(value.encode(), istext=True)
    # Nearly always: names, cities.
    if len(line) < LONGEST_LINE and b"\n" not in line and b"\r" not in line and line[:1] != b".":
        return line + SOFT_BREAK
    return quoted_printable(value) + SOFT_BREAK


def base64_joined(runs: Sequence[str]) -> bytes:
    """`runs` in base64, lines of at most 76.

    Base64 takes three bytes at a time: of each fixed stretch there are three encodings, by the number of bytes that the
    value before leaves over, and only the seams are encoded anew.
    """
    _head, lines, left = _aligned(runs[0])[0]
    pieces = [lines]
    for at in range(1, len(runs) - 1, 2):
        seam = left + _crlf(runs[at])
        head, lines, left = _aligned(runs[at + 1])[len(seam) % 3]
        seam += head
        whole = len(seam) - len(seam) % 3
        pieces += [_base64_lines(seam[:whole]), lines]
        left = seam[whole:] + left
    pieces.append(b2a_base64(left, newline=False))
    return b"".join(pieces)


@lru_cache(maxsize=512)
def _aligned(text: str) -> list[tuple[bytes, bytes, bytes]]:
    """For 0, 1 and 2 bytes left over: what completes them, the lines of the most part, what is left over again."""
    raw = _crlf(text)
    found = []
    for over in range(3):
        start = -over % 3
        end = start + max(0, len(raw) - start) // 3 * 3
        found.append((raw[:start], _base64_lines(raw[start:end]), raw[end:]))
    return found


def _base64_lines(raw: bytes) -> bytes:
    encoded = b2a_base64(raw, newline=False)
    if len(encoded) <= LONGEST_LINE:
        return encoded and encoded + b"\r\n"
    return b"".join([encoded[at : at + LONGEST_LINE] + b"\r\n" for at in range(0, len(encoded), LONGEST_LINE)])


def _crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def prefers_base64(text: str) -> bool:
    """Whether base64 is the shorter form of `text`, as for scripts other than Latin."""
    raw = text.encode()
    wide = sum(1 for byte in raw if byte > 126 or byte == 0x3D)
    return wide * 6 > len(raw)


def joined(runs: Sequence[str], *, base64: bool) -> bytes:
    """The body of `runs`, fixed and value in turns, beginning and ending with a fixed one."""
    if base64:
        return base64_joined(runs)
    pieces = [quoted_printable(runs[0])]
    for at in range(1, len(runs) - 1, 2):
        pieces += [SOFT_BREAK, value_line(runs[at]), quoted_printable(runs[at + 1])]
    return b"".join(pieces)


def opening(*, base64: bool, kind: str) -> bytes:
    """The delimiter and the headers of the part `kind` (plain or html)."""
    encoding = "base64" if base64 else "quoted-printable"
    return (
        f"--{BOUNDARY}\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    ).encode("ascii")


HEADERS = f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{BOUNDARY}"\r\n'.encode("ascii")
CLOSING = f"\r\n--{BOUNDARY}--\r\n".encode("ascii")
